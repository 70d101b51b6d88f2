"""How every request is taken and answered, for the API and for the pages alike."""
