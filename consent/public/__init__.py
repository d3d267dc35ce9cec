"""The pages people open without an account: sign-up, confirmation, preferences, unsubscription.

What a visitor may do hangs on the secret of the link alone, so there is no cookie and no CSRF
token. A page changes nothing when it is opened; only a POST acts. Nothing here waits for a
worker, a broker or a mail server.
"""
