"""The report's figures; each is a function that draws it and says what it shows."""
