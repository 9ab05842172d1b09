"""The words of the audit log for people: what is stored is named as the code names it."""

# As told between who did it and what it was done to: Ann "sent a test from" workspace Acme.
VERBS = {
    "accept": "accepted",
    "add_attributes": "added attributes in",
    "archive": "archived",
    "ask_for_new_password": "was asked for a new password by",
    "assume_delivered": "assumed delivered in",
    "begin_outage": "began an outage of the simulated provider in",
    "cancel": "cancelled",
    "change": "changed",
    "change_consent_settings": "changed the settings of consent of",
    "change_name": "changed the name of",
    "change_password": "changed the password of",
    "change_priority": "changed the priority of",
    "change_role": "changed the role of",
    "change_rule": "changed the rule of",
    "change_settings": "changed the settings of",
    "change_time": "changed the time of",
    "check": "checked",
    "choose_personaliser": "chose",
    "choose_sender": "chose",
    "choose_winner": "chose the winner of",
    "create": "created",
    "delete": "deleted",
    "dismiss": "dismissed failures of",
    "dismiss_launch": "dismissed the failed start of",
    "duplicate": "made by duplicating",
    "end_outage": "ended the outage of the simulated provider in",
    "end_series": "ended",
    "erase": "erased",
    "export": "exported",
    "export_suppressions": "downloaded the suppression list of",
    "finish": "finished",
    "forget": "forgot a person in the file of messages of",
    "import_suppressions": "brought a suppression list into",
    "invite": "invited",
    "launch": "sent",
    "lock_out": "locked out",
    "log_in": "logged in",
    "log_in_failed": "refused a login to",
    "log_out": "logged out",
    "log_out_everywhere": "logged out everywhere",
    "make": "made",
    "make_reset_link": "made a link for a new password of",
    "new_recovery_codes": "made new recovery codes for",
    "move": "moved people to",
    "opt_in": "opted in",
    "opt_out": "opted out",
    "pause": "paused",
    "put_in": "put people into",
    "receive_reply": "received",
    "release": "took off the suppression list",
    "remove": "removed",
    "remove_variants": "removed the variants of",
    "repeat": "repeats",
    "resend": "made a new link for",
    "reset_password": "set a new password of",
    "restore": "brought the messages back of",
    "resume": "resumed",
    "retry_failed": "retried failed messages of",
    "revoke": "revoked",
    "schedule": "scheduled",
    "send_again": "sent unknown messages again of",
    "send_test": "sent a test from",
    "set_up_variants": "set up the variants of",
    "skip_next": "skipped the next campaign of",
    "start": "started",
    "suppress_bounced": "put what bounced on the suppression list of",
    "suppress": "put on the suppression list",
    "store": "moved to a file the messages of",
    "take_out": "took people out of",
    "turn_off_two_factor": "turned off two-factor login of",
    "turn_on_two_factor": "turned on two-factor login of",
    "unarchive": "took out of the archive",
    "undismiss": "put back dismissed failures of",
    "unschedule": "took off the schedule",
    "update": "changed",
    "update_following": "changed all that follow of",
    "write_wording": "wrote other words for",
    "wrong_code": "refused a wrong code of",
    "wrong_password": "refused a wrong password of",
}
KINDS = {
    "apikey": "API key",
    "auditlink": "the audit log",
    "chosenpersonaliser": "the personaliser",
    "chosensender": "the sender",
    "recipient": "person",
    "recurrence": "series",
    "suppression": "entry",
    "simplelazyobject": "workspace",  # as an older version wrote it; what is written cannot be changed
}
FIELDS = {
    "after_hours": "hours until the rule chooses",
    "at": "when",
    "at_least": "points by which the winner has to lead",
    "body": "text",
    "brief": "what it is about",
    "copy of": "copy of campaign no.",
    "finished_at": "over at",
    "from_address": "sender’s address",
    "from_name": "sender’s name",
    "hold_out": "percent held out",
    "is_on": "in use",
    "launched_at": "sent at",
    "measure": "chosen by",
    "numbers": "message no.",
    "requires_two_factor": "everyone must use two-factor login",
    "retry_policy": "when a message fails",
    "revoked_at": "revoked at",
    "scheduled_at": "starts at",
    "scheduled_day": "day",
    "scheduled_time": "time",
    "scheduled_zone": "time zone",
    "tested": "percent who get a variant at once",
    "was_for": "was to start at",
}


def plain(word: str) -> str:
    """For what has no words of its own."""
    return word.replace("_", " ")


def verb_told(verb: str) -> str:
    return VERBS.get(verb) or plain(verb)


def kind_told(kind: str) -> str:
    return KINDS.get(kind, kind)


def field_told(field: str) -> str:
    return FIELDS.get(field) or plain(field)
