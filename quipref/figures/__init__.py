"""Every picture that the notebooks and the command line draw, one file a topic."""
