"""The tables, as the newest migration leaves them.

A test compares this file with what the migrations build, so the two cannot drift apart. Times are `timestamptz` and
always come from the caller; money is an integer of minor units beside its currency.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

_INSTANT = DateTime(timezone=True)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    _id(),
    Column("doc_type", Text, nullable=False),
    Column("doc_number", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column(
        "other_zones",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="where the person may live too: the hours of all zones must be open",
    ),
    Column("contract_signed_at", _INSTANT),
    Column("erased_at", _INSTANT, comment="who the person was is gone since; null for everybody else"),
    Column(
        "standing",
        Integer,
        nullable=False,
        server_default="0",
        comment="counts what could forbid a contact: a lease of another standing is void",
    ),
    UniqueConstraint("doc_type", "doc_number"),
)

phones = Table(
    "phones",
    metadata,
    _id(),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("e164", Text, nullable=False),
    Column("line_type", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("status", Text, nullable=False),
    UniqueConstraint("person_id", "e164"),
    # Who has a number: an exclusion of it holds for all of them.
    Index("phones_e164", "e164"),
)

obligations = Table(
    "obligations",
    metadata,
    _id(),
    Column("creditor", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("balance_currency", Text, nullable=False),
    Column("overdue_minor", BigInteger, nullable=False),
    Column("overdue_currency", Text, nullable=False),
    Column("days_past_due", Integer, nullable=False),
    Column("due_date", Date),
    UniqueConstraint("creditor", "number"),
)

parts = Table(
    "parts",
    metadata,
    Column("person_id", ForeignKey("persons.id"), primary_key=True),
    Column("obligation_id", ForeignKey("obligations.id"), primary_key=True),
    Column("role", Text, nullable=False),
    # Who answers for an obligation.
    Index("parts_obligation", "obligation_id"),
    comment="the part that a person has in an obligation",
)

list_items = Table(
    "list_items",
    metadata,
    _id(),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("rank", Integer, nullable=False, comment="the smaller, the sooner: minus the days past due"),
    Column("due_at", _INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, comment="charged attempts that reached sending"),
    Column("last_phone_id", BigInteger),
    Column("last_attempt_id", Text),
    Column("denied_code", Text, comment="why the gate said no the last time; null after an attempt"),
    UniqueConstraint("campaign_id", "person_id"),
    CheckConstraint("state IN ('due', 'out', 'awaiting', 'closed', 'denied')", name="state"),
    # The queue: a claim walks it in order and stops after as many as it needs.
    Index("list_items_queue", "campaign_id", "rank", "due_at", "id", postgresql_where=text("state = 'due'")),
    # What waits for an agent's disposition is little and is asked for at every start.
    Index("list_items_awaiting", "last_attempt_id", postgresql_where=text("state = 'awaiting'")),
    # How much of a list is done.
    Index("list_items_closed", "campaign_id", postgresql_where=text("state IN ('closed', 'denied')")),
    Index("list_items_person", "person_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campaign_id", Text, nullable=False),
    # No foreign keys: a lease writes what it read under lock, and checking them would lock and rewrite each row.
    Column("contact_id", BigInteger, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    Column("phone_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("prior", Integer, nullable=False, comment="attempts of the list item before this one"),
    Column(
        "standing",
        Integer,
        nullable=False,
        server_default="0",
        comment="the person's standing that its lease was judged by",
    ),
    Column("leased_at", _INSTANT, nullable=False),
    Column("sending_at", _INSTANT),
    Column("server", Text, nullable=False, server_default="", comment="the Asterisk server that was asked for it"),
    Column("answered_at", _INSTANT),
    Column("connected_at", _INSTANT),
    Column("ended_at", _INSTANT),
    Column("agent_id", Text),
    Column("outcome", Text),
    Column("charged", Boolean),
    Column("cause", Integer),
    Column("tech_cause", Integer),
    Column("talk_s", Double),
    Column("disposition", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("next_due_at", _INSTANT, comment="what the disposition wants of the list item; null closes it"),
    CheckConstraint("state IN ('leased', 'sending', 'settled')", name="state"),
    # Two open attempts on one person cannot exist, whoever asks. Also finds the open ones.
    Index("attempts_open", "person_id", unique=True, postgresql_where=text("state <> 'settled'")),
    # A person's history, newest first, without a look at the table: it is read for each lease. (Notes are too long.)
    Index(
        "attempts_history",
        *("person_id", "ended_at", "id"),
        postgresql_include=["outcome", "disposition", "agent_id"],
        postgresql_where=text("state = 'settled'"),
    ),
    # A campaign's numbers since an instant.
    Index("attempts_campaign", "campaign_id", "leased_at"),
    # A campaign's answers by day: few beside its attempts.
    Index("attempts_answered", "campaign_id", "answered_at", postgresql_where=text("answered_at IS NOT NULL")),
)

promises = Table(
    "promises",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id"), primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due", Date, nullable=False),
    Column("made_at", _INSTANT, nullable=False),
    Index("promises_person", "person_id"),
)

touches = Table(
    "touches",
    metadata,
    Column("id", Text, primary_key=True, comment="the attempt's or the message's id"),
    Column("person_id", BigInteger, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reach", SmallInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("phone_id", BigInteger),
    Column("debts", ARRAY(BigInteger), nullable=False),
    Column("inbound", Boolean, nullable=False),
    # A person's newest contacts.
    Index("touches_person", "person_id", "at"),
    # A day's contacts that are no calls of the dialer's: few beside its attempts.
    Index("touches_others", "at", postgresql_where=text("channel <> 'voice' OR id LIKE 'c-%'")),
    comment="contacts and attempts over every channel: what legal counters are computed from",
)

consents = Table(
    "consents",
    metadata,
    _id(),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("channel", Text),
    Column("purpose", Text),
    Column("at", _INSTANT, nullable=False),
    Column("until", _INSTANT),
    Column("how", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("consents_person", "person_id", "at"),
    comment="grants and revocations, never changed; the newest that fits holds",
)

preferences = Table(
    "preferences",
    metadata,
    _id(),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column(
        "weekly",
        JSONB,
        nullable=False,
        comment="Monday to Sunday, each a list of [start, end) in minutes after midnight",
    ),
    Column("channels", ARRAY(Text), nullable=False),
    Column("how", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("preferences_person", "person_id", "at"),
)

exclusions = Table(
    "exclusions",
    metadata,
    _id(),
    Column("register", Text, nullable=False),
    Column("person_id", ForeignKey("persons.id")),
    Column("e164", Text),
    Column("channels", ARRAY(Text), nullable=False),
    Column("purposes", ARRAY(Text), nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("until", _INSTANT),
    Column("source", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    CheckConstraint("(person_id IS NULL) <> (e164 IS NULL)", name="whom"),
    Index("exclusions_person", "person_id", postgresql_where=text("person_id IS NOT NULL")),
    Index("exclusions_number", "e164", "register", postgresql_where=text("e164 IS NOT NULL")),
    comment="who or which number may not be contacted: registers, house lists, dispositions",
)

registers = Table(
    "registers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("loaded_at", _INSTANT, nullable=False),
    Column("numbers", Integer, nullable=False),
    comment="when each exclusion register was loaded last: one that never was cannot be asked",
)

data_requests = Table(
    "data_requests",
    metadata,
    _id(),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("extended", Boolean, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("closed_at", _INSTANT),
    Column("outcome", Text, nullable=False),
    # What must be answered next.
    Index("data_requests_open", "due", postgresql_where=text("closed_at IS NULL")),
)

payments = Table(
    "payments",
    metadata,
    _id(),
    Column("obligation_id", ForeignKey("obligations.id"), nullable=False),
    Column("paid_at", _INSTANT, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column(
        "clears",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="nothing was overdue any more after it",
    ),
    UniqueConstraint("obligation_id", "reference"),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("since", _INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempt_id", Text),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, Identity(always=False), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("campaign_id", Text),
    Column("contact_id", BigInteger),
    Column("attempt_id", Text),
    Column("agent_id", Text),
    Column("body", JSONB, nullable=False),
    Index("events_kind", "kind", "seq"),
    # Why a contact was or was not dialled.
    Index("events_contact", "contact_id", "seq", postgresql_where=text("contact_id IS NOT NULL")),
    # What happened to one attempt.
    Index("events_attempt", "attempt_id", "seq", postgresql_where=text("attempt_id IS NOT NULL")),
    # A campaign's denials since an instant.
    Index("events_denied", "campaign_id", "at", postgresql_where=text("kind = 'contact.denied'")),
)

surrogates = Table(
    "surrogates",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("ref", BigInteger, primary_key=True, autoincrement=False),
    Column("surrogate", UUID, nullable=False),
    UniqueConstraint("surrogate"),
    CheckConstraint("kind IN ('person', 'contact', 'phone', 'obligation')", name="kind"),
    comment="random names that stand for internal ids in evidence; erasing a person deletes them",
)

evidence_chains = Table(
    "evidence_chains",
    metadata,
    _id(),
    Column("engine", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column(
        "peaks",
        LargeBinary,
        nullable=False,
        comment="of the Merkle tree what is needed to go on: 32 bytes for each bit of rows",
    ),
    Column("root", Text, nullable=False, comment="what was signed: canonical JSON"),
    Column("signature", LargeBinary, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("closed_at", _INSTANT),
    Column("dropped_at", _INSTANT, comment="the rows went at the end of their time"),
    UniqueConstraint("engine", "number"),
    UniqueConstraint("engine", "day"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("chain_id", ForeignKey("evidence_chains.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("person", UUID),
    Column("attempt_id", Text),
    Column("body", Text, nullable=False, comment="canonical JSON, byte for byte as it was hashed"),
    Column("hash", LargeBinary, nullable=False),
    # What was sealed about one person.
    Index("evidence_person", "person", postgresql_where=text("person IS NOT NULL")),
    # Has an attempt its beginning and its end in evidence?
    Index("evidence_attempt", "attempt_id", postgresql_where=text("attempt_id IS NOT NULL")),
)

evidence_position = Table(
    "evidence_position",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("sealed_through", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="id"),
    comment="one row: up to which event the log is sealed",
)

legal_holds = Table(
    "legal_holds",
    metadata,
    _id(),
    Column("person_id", ForeignKey("persons.id"), nullable=False),
    Column("placed_at", _INSTANT, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted_at", _INSTANT),
    Column("lifted_by", Text),
    # One hold a person.
    Index("legal_holds_standing", "person_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    Index("legal_holds_person", "person_id"),
)

pacing_priors = Table(
    "pacing_priors",
    metadata,
    Column("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    Column("contact_list", Text, primary_key=True),
    Column("hour", SmallInteger, primary_key=True, autoincrement=False),
    Column("body", JSONB, nullable=False),
    Column("saved_at", _INSTANT, nullable=False),
    CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
    comment="what each local hour taught a campaign's controller, for the same hour of another day",
)

legal_profiles = Table(
    "legal_profiles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("source", Text, nullable=False, comment="the text of its file"),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", _INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", _INSTANT),
    Column("decision", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('proposed', 'active', 'retired', 'rejected')", name="state"),
    CheckConstraint(
        "state = 'proposed' OR state = 'rejected' OR decided_by <> proposed_by OR decided_by = 'cadencia'",
        name="two_persons",
    ),
    # One version of each is in force.
    Index("legal_profiles_active", "id", unique=True, postgresql_where=text("state = 'active'")),
    comment="rules of lawful contact: every version, and which one is in force",
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agent_id", Text),
    Column("password_hash", Text, nullable=False),
    Column("language", Text, nullable=False),
    UniqueConstraint("login"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT),
    Index("credentials_user", "user_id", "kind"),
    Index("credentials_expiry", "expires_at"),
)

leadership = Table(
    "leadership",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("token", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("since", _INSTANT),
    CheckConstraint("id = 1", name="id"),
    comment="one row: the newest fencing token and whom it was given to",
)
