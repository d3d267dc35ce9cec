"""The access pack: everything known of a person, for her (GDPR 15), and what she gave (GDPR 20).

It stands in `config` because it draws on every app. `tables` names what is in it and
`mdm.erasure.places` what has to be; `subject` reads whom it is about and what concerns others.
"""
