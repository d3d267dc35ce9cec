"""What is known of e-mail domains: mistyped, thrown away, and with tags in the local part.

Our own short lists. A mistyped domain is only ever a suggestion: somebody may own `gmial.com`.
"""

from functools import lru_cache

# Domain → frequent slips that one wrong letter does not explain.
_SLIPS = {
    "gmail.com": "gmial.com gmai.com gamil.com gmaill.com gmail.fr gmail.co gmail.con gmail.cm "
    "gmail.om gmail.comm gmail.cim gmail.vom",
    "hotmail.com": "hotmial.com hotmail.co hotmail.con",
    "hotmail.fr": "hotmial.fr hotmai.fr hotmail.f",
    "icloud.com": "iclou.com icloud.fr icoud.com icloud.con",
    "laposte.net": "laposte.fr laposte.com la-poste.net la-poste.fr",
    "orange.fr": "orange.f oragne.fr ornage.fr orange.com orange.fe",
    "outlook.com": "outlook.con outlok.com outloo.com",
    "outlook.fr": "outlok.fr outloo.fr oulook.fr outlook.f",
    "wanadoo.fr": "wanado.fr wandoo.fr wanadoo.f wanadoo.com wanadou.fr",
    "yahoo.fr": "yaho.fr yahooo.fr yhaoo.fr yahoo.f",
    "yahoo.com": "yaho.com yahooo.com yahoo.con",
    "free.fr": "free.com free.f",
    "sfr.fr": "sfr.com sfr.f",
    "bbox.fr": "bbox.com",
    "neuf.fr": "neuf.com",
}
_SUGGESTED = {slip: domain for domain, slips in _SLIPS.items() for slip in slips.split()}
# Long enough that one wrong letter in the name is a slip and no other company.
_PROVIDERS = (
    "gmail.com hotmail.com hotmail.fr orange.fr wanadoo.fr laposte.net yahoo.fr yahoo.com "
    "outlook.fr outlook.com icloud.com googlemail.com protonmail.com bouygtel.fr numericable.fr "
    "videotron.ca bluewin.ch skynet.be"
).split()
_NEIGHBOURS_THAT_EXIST = frozenset(
    "mail.com ymail.com email.com fmail.com cloud.com oranges.fr grange.fr hotmail.it outlook.be "
    "jmail.com zmail.com range.fr arange.fr".split()
)
DISPOSABLE = frozenset(
    "10minutemail.com 33mail.com burnermail.io cool.fr.nf discard.email dispostable.com "
    "emailondeck.com fakeinbox.com getnada.com guerrillamail.com guerrillamail.info "
    "jetable.fr.nf jetable.org mailcatch.com maildrop.cc mailinator.com mailnesia.com "
    "mintemail.com moakt.com mohmal.com mytemp.email sharklasers.com spamgourmet.com temp- "
    "mail.org tempmail.com throwawaymail.com trashmail.com yomail.info yopmail.com yopmail.fr "
    "yopmail.net".split()
)
# Providers known to deliver `name+anything@` to `name@`.
TAGGING = frozenset(
    "gmail.com outlook.com outlook.fr hotmail.com hotmail.fr live.com live.fr msn.com icloud.com "
    "me.com mac.com fastmail.com protonmail.com proton.me pm.me".split()
)
# Where anybody may have a mailbox: the domain says nothing about who writes.
PROVIDERS = frozenset(
    {*_SLIPS, *_PROVIDERS, *TAGGING}
    | set(
        "aol.com gmx.com gmx.fr gmx.net gmx.de web.de live.be mail.com numericable.fr "
        "club-internet.fr aliceadsl.fr cegetel.net 9online.fr noos.fr tele2.fr ymail.com zoho.com "
        "yahoo.co.uk yahoo.de t-online.de telenet.be sunrise.ch gmail.fr".split()
    )
)
SAME_DOMAIN = {"googlemail.com": "gmail.com", "pm.me": "proton.me", "protonmail.com": "proton.me"}


@lru_cache(maxsize=1 << 14)
def suggested_domain(domain: str) -> str:
    """Return the domain that was probably meant, or "" when nothing speaks for a slip."""
    if domain in _SUGGESTED:
        return _SUGGESTED[domain]
    if domain in _NEIGHBOURS_THAT_EXIST or domain in _PROVIDERS or domain in TAGGING:
        return ""
    name, _, ending = domain.partition(".")
    for provider in _PROVIDERS:
        meant, _, its_ending = provider.partition(".")
        if ending == its_ending and _is_one_slip(name, meant):
            return provider
    return ""


def _is_one_slip(one: str, other: str) -> bool:
    """Tell whether one letter was left out, added, changed, or two neighbours changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    left, right = one[start:], other[start:]
    is_transposed = left[:2] == right[1::-1] and left[2:] == right[2:]
    return is_transposed or left[1:] == right[1:] or left[1:] == right or left == right[1:]
