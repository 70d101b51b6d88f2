"""``report.html`` of a bundle: the agreement for people to read and to print, on both axes of time."""
