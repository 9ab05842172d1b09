"""What a mail server's answers mean: for the books, and in words for people."""

import re
import socket
import ssl

import aiosmtplib

from dispatcher.senders.parcel import Busy, Refused, Unreachable

WRONG_PASSWORD = 60.0  # seconds until it is tried again: many servers lock an account after a few
NO_FOR_ALL = 60.0  # seconds, where a person has to do something
GREYLISTED = 300.0  # seconds: who comes back sooner is turned away again
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
ACCOUNT = (421, 530, 534, 535, 538)  # hanging up, or wanting a password or encryption first


def words(pattern: str) -> re.Pattern:
    return re.compile(pattern, re.IGNORECASE)


GREYLIST = words(r"\bgr[ae]y-?list")
TOO_FAST = words(r"\brate\b|\brate-?limit|\btoo (many|fast|much)\b|\bthrottl|\blimit(s|ed)?\b|\bslow down\b")
# A server's answer to a recipient speaks of that recipient's own limits as well.
TOO_FAST_FOR_ALL = words(r"\btoo (many|fast|much)\b.*\b(messages?|e?-?mails?|connections?)\b|\bslow down\b")
RELAY = words(r"\brelay")
QUOTA = words(r"\b(hourly|daily|weekly|monthly|sending|outgoing|outbound)\b.*\b(quota|limits?|allowance)\b")


def not_taken(reply: aiosmtplib.SMTPResponse, phase: str) -> Busy | Refused:
    """The answer to a mail that was not accepted, as it is for this mail: 4xx may be later, 5xx never."""
    said = _said(reply)
    enhanced = ENHANCED.search(reply.message)
    if 400 <= reply.code < 500:
        if is_greylisting(reply, phase):
            return Busy(said, category="provider_down", retry_after=GREYLISTED)
        if is_too_fast(reply, phase):
            return Busy(said, category="rate_limited", counts=False)
        return Busy(said, category="provider_down")
    if reply.code < 500:  # neither yes nor no: the server says what SMTP does not know
        return Busy(f"The mail server answered {phase} with {said}", category="provider_down")
    if phase == "MAIL":  # no recipient was named yet
        return of_all(reply)
    if phase == "RCPT":
        return Refused(said, category=_refused_person(reply.code, enhanced))
    return Refused(said, category="rejected")


def is_greylisting(reply: aiosmtplib.SMTPResponse, phase: str) -> bool:
    if GREYLIST.search(reply.message):
        return True
    policy = phase == "RCPT" and reply.code in (450, 451) and "4.7.1" in reply.message
    return policy and not TOO_FAST_FOR_ALL.search(reply.message)


def is_too_fast(reply: aiosmtplib.SMTPResponse, phase: str) -> bool:
    """Whether all should go slower; what is said of one recipient is about that one, unless it is quite clear."""
    if reply.code not in (421, 450, 451, 452):
        return False
    if phase == "RCPT":
        return bool(TOO_FAST_FOR_ALL.search(reply.message))
    enhanced = ENHANCED.search(reply.message)
    is_policy = phase in ("MAIL", "DATA") and enhanced is not None and enhanced.group(2) == "7"
    return is_policy or bool(TOO_FAST.search(reply.message))


def hangs_up(reply: aiosmtplib.SMTPResponse) -> bool:
    """Whether the answer to MAIL ends this connection for another reason than our speed."""
    return reply.code == 421 and ("connection" in reply.message.lower() or not is_too_fast(reply, "MAIL"))


def may_be_said_to_all(reply: aiosmtplib.SMTPResponse, phase: str) -> bool:
    """Whether the answer may have nothing to do with this one mail and its recipient."""
    if reply.code in ACCOUNT or phase == "MAIL" or QUOTA.search(reply.message):
        return True
    enhanced = ENHANCED.search(reply.message)
    is_policy = enhanced is not None and enhanced.group(1, 2) == ("5", "7")
    return phase == "RCPT" and (is_policy or bool(RELAY.search(reply.message)))


def of_all(reply: aiosmtplib.SMTPResponse) -> Unreachable:
    """The answer as one that everybody gets, in words for people."""
    check = "user name, password, the sender’s address and the limits of the account"
    sentence = f"The mail server takes no mail from us; it says: {_said(reply)[:120].rstrip('.')}. Check {check}."
    return Unreachable(sentence, retry_after=15 if reply.code < 500 else NO_FOR_ALL)


def _said(reply: aiosmtplib.SMTPResponse) -> str:
    return f"{reply.code} {' '.join(reply.message.split())}"[:250]


def _refused_person(code: int, enhanced: re.Match | None) -> str:
    """Why a server does not want this recipient (RFC 3463: x.1.x is about the address, x.2.x about the mailbox)."""
    if not enhanced:
        return "bounced" if code in (550, 551) else "invalid_address" if code in (501, 553) else "rejected"
    subject, detail = enhanced.group(2), enhanced.group(3)
    if subject == "1":
        return "bounced" if detail in ("1", "6", "10") else "invalid_address"
    return "bounced" if subject == "2" else "rejected"


def not_opened(error: BaseException, host: str, port: int) -> Unreachable:
    """Why there is no connection: what is wrong, and what to do about it."""
    here = f"{host}:{port}"
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, aiosmtplib.SMTPAuthenticationError):
            return _not_let_in(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"The certificate of {here} is not valid for {host}: {_stop(cause.verify_message)} "
                "Check the host name, or have the certificate mended.",
                category="network",
            )
        if isinstance(cause, ssl.SSLError):
            return Unreachable(
                f"{here} does not speak TLS in the way that was asked for: choose the other kind of encryption "
                "(STARTTLS is usual on port 587, TLS on port 465).",
                category="network",
            )
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"No server is known by the name {host}: check the host.", category="network")
        if isinstance(cause, aiosmtplib.SMTPResponseException):
            return _answered(cause, here)
    words = str(error).lower()
    if "auth" in words:
        return Unreachable(
            f"{here} takes no user name and password here: leave them empty, or choose another port or encryption."
        )
    if "starttls" in words:
        return Unreachable(f"{here} offers no STARTTLS: choose TLS, or another port.", category="network")
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return Unreachable(f"{here} did not answer in time: check host and port, or a firewall.", category="network")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Unreachable(f"Nobody answers at {here}: check host and port.", category="network")
    return Unreachable(f"{here} cannot be reached, or hung up: check host, port and encryption.", category="network")


def _not_let_in(error: aiosmtplib.SMTPAuthenticationError) -> Unreachable:
    if 400 <= error.code < 500:
        return Unreachable(f"The server cannot check the password now (it says {error.code}); it is asked again.")
    if error.code in (503, 504, 530, 538):
        return Unreachable("The server wants encryption before the password: choose STARTTLS or TLS.")
    return Unreachable("The server refused the password: check user name and password.", retry_after=WRONG_PASSWORD)


def _answered(error: aiosmtplib.SMTPResponseException, here: str) -> Unreachable:
    if error.code < 0:
        return Unreachable(f"What answers at {here} is not a mail server: check the port.", category="network")
    # The words of a greeting are not shown: it may be the greeting of anything.
    return Unreachable(f"{here} takes no mail from here now: it answered {error.code}.")


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _stop(words: str | None) -> str:
    return f"{(words or 'it could not be verified').rstrip('.')}."
