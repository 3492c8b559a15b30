"""The one exception for users' mistakes: stages print its line and exit with code 1, without a traceback."""


class UserError(Exception):
    """Bad input by the user.

    The message is one line that names the file, key or clip, says what is wrong with it and what to do.
    """
