"""The first schema: book, quotes, money, record, and the test provider's own books.

Frozen: what the tables were at this revision, whatever `app.store.tables` says today. A column is written
`name:type`, followed by `?` where it may be null, `#` in the primary key, `!` where it is unique by itself,
and `>table` where it refers to that table's id.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "int": sa.Integer(),
    "minor": sa.BigInteger(),
    "text": sa.String(),
    "day": sa.Date(),
    "at": sa.DateTime(timezone=True),
    "flag": sa.Boolean(),
}
_COLUMN = re.compile(r"(?P<name>\w+):(?P<type>\w+)(?P<null>\?)?(?P<key>#)?(?P<unique>!)?(>(?P<parent>\w+))?")

_PRICE = "subtotal_minor:minor discount_minor:minor tax_minor:minor total_minor:minor"
_ADDS_UP = "subtotal_minor - discount_minor + tax_minor = total_minor"
_TERMS = "term IN ('monthly', 'annual', 'three_year', 'trial')"


def upgrade() -> None:
    _book()
    _quotes()
    _money()
    _record()
    _provider()
    _append_only()


def _book() -> None:
    _table("counter", "name:text# value:int")
    _table("zone", "id:int# name:text! done_day:day done_job:int")
    _table(
        "customer",
        "id:int# csn:text! name:text purchaser:text language:text currency:text country:text? region:text? timezone:text "
        "vat_number:text? tax_exempt:flag agreement_manager:text? primary_admin:text? method:text? method_expires_on:day? "
        "net_days:int? credit_limit_minor:minor? prepay_required:flag created_at:at",
        region_known="region IN ('EEA', 'UK', 'CH', 'CA')",
        credit="credit_limit_minor >= 0",
    )
    _table("payer", "customer_id:int#>customer email:text# position:int")
    _table(
        "subscription",
        "id:int# ref:text! customer_id:int>customer zone_id:int>zone offering:text partner:text? currency:text term:text "
        "seats:int term_number:int last_number:int starts_on:day ends_on:day anchor_day:int state:text reason:text? "
        "lapse_on:day? grace_days:int auto_renew:flag method:text? regime_on:day tried_on:day? declined:flag "
        "reminded_on:day? quote_decided_on:day? converted:flag next_job:int? next_on:day? stuck:flag version:int "
        "created_at:at",
        state_known="state IN ('trial', 'trial_ended', 'active', 'renewable', 'expired', 'suspended', 'canceled', 'returned')",
        reason_known="reason IN ('non_renewal', 'non_payment', 'payment_failed')",
        term_known=_TERMS,
        method_known="method IN ('alipay', 'bank_transfer', 'card', 'direct_debit', 'invoice', 'konbini', 'paypal')",
        seats="seats >= 1",
        term_order="ends_on >= starts_on",
        anchor="anchor_day BETWEEN 1 AND 31",
        reason_has_day="(reason IS NULL) = (lapse_on IS NULL)",
        no_reason_outside="state NOT IN ('active', 'renewable') OR reason IS NULL",
    )
    _index("subscription", "customer_id")
    _index(
        "subscription", "zone_id next_job next_on id", "ix_subscription_due", where="next_on IS NOT NULL AND NOT stuck"
    )
    _table(
        "term",
        "subscription_id:int#>subscription number:int# term:text starts_on:day ends_on:day anchor_day:int seats:int "
        "offering:text bought_on:day undone:flag",
        term_order="ends_on >= starts_on",
        seats="seats >= 1",
        term_known=_TERMS,
    )
    _index("term", "subscription_id starts_on", "uq_term_start", where="NOT undone")
    _table(
        "pending_change",
        "subscription_id:int#>subscription term:text? seats:int? offering:text? asked_at:at",
        term_known=_TERMS,
        seats="seats >= 1",
    )
    _table(
        "assignment",
        "id:int# subscription_id:int>subscription email:text assigned_at:at removed_at:at?",
    )
    _index("assignment", "subscription_id email", "uq_assignment_user", where="removed_at IS NULL")


def _quotes() -> None:
    _table(
        "quote",
        "id:int# number:text! name:text?! customer_id:int>customer zone_id:int>zone partner:text? source:text kind:text "
        f"currency:text issued_on:day valid_until:day state:text {_PRICE} created_at:at",
        state_known="state IN ('open', 'purchased', 'expired', 'canceled', 'superseded')",
        source_known="source IN ('self_service', 'partner', 'sales', 'system')",
        kind_known="kind IN ('new', 'alignment', 'renewal')",
        adds_up=_ADDS_UP,
        validity="valid_until >= issued_on",
    )
    _index("quote", "customer_id")
    _index("quote", "zone_id valid_until", "ix_quote_open", where="state = 'open'")
    _table(
        "quote_line",
        "quote_id:int#>quote position:int# subscription_id:int>subscription term_number:int offering:text term:text "
        f"seats:int {_PRICE} is_open:flag is_automatic:flag",
        adds_up=_ADDS_UP,
        seats="seats >= 1",
    )
    _index("quote_line", "subscription_id")
    _index("quote_line", "subscription_id", "ix_quote_line_open", where="is_open")
    _index("quote_line", "subscription_id term_number", "uq_quote_line_automatic", where="is_open AND is_automatic")
    _table("quote_recipient", "quote_id:int#>quote position:int# email:text")


def _money() -> None:
    _table(
        "sale_order",
        "id:int# number:text! name:text?! customer_id:int>customer kind:text state:text placed_on:day placed_at:at "
        f"done_at:at? currency:text {_PRICE} method:text auto_renew:flag? quote_id:int?>quote trial_id:int?>subscription "
        "actor:text",
        state_known="state IN ('placed', 'waiting', 'done', 'declined', 'canceled')",
        method_known="method IN ('card', 'paypal', 'direct_debit', 'bank_transfer', 'konbini', 'alipay', 'invoice', "
        "'credit_memo', 'cash_balance')",
        adds_up=_ADDS_UP,
    )
    _index("sale_order", "customer_id")
    _table(
        "order_line",
        "order_id:int#>sale_order position:int# subscription_id:int?>subscription new_ref:text? partner:text? "
        f"timezone:text? offering:text term:text seats:int {_PRICE}",
        adds_up=_ADDS_UP,
        seats="seats >= 1",
    )
    _index("order_line", "subscription_id")
    _table(
        "invoice",
        "id:int# number:text! customer_id:int>customer order_id:int?>sale_order currency:text issued_on:day due_on:day "
        f"{_PRICE} paid_minor:minor state:text issued_at:at",
        state_known="state IN ('open', 'paid', 'void', 'credited')",
        adds_up=_ADDS_UP,
        paid="paid_minor BETWEEN 0 AND total_minor",
        paid_whole="state <> 'paid' OR paid_minor = total_minor",
        due="due_on >= issued_on",
    )
    _index("invoice", "customer_id")
    _table(
        "invoice_line",
        "invoice_id:int#>invoice position:int# subscription_id:int>subscription term_number:int part:int kind:text "
        f"offering:text term:text seats:int {_PRICE} counts_from:day is_open:flag overdue_told:flag",
        adds_up=_ADDS_UP,
    )
    _index("invoice_line", "subscription_id", "ix_invoice_line_open", where="is_open")
    _index("invoice_line", "subscription_id term_number part", "uq_invoice_line_part", where="kind = 'term'")
    _table(
        "installment",
        "id:int# subscription_id:int>subscription term_number:int source:int part:int due_on:day subtotal_minor:minor "
        "discount_minor:minor tax_minor:minor amount_minor:minor state:text invoice_id:int?>invoice tried_on:day?",
        state_known="state IN ('scheduled', 'open', 'paid', 'canceled', 'credited')",
        amount="amount_minor >= 0",
    )
    _index("installment", "subscription_id term_number source part", "uq_installment_part")
    _index("installment", "subscription_id", "ix_installment_live", where="state IN ('scheduled', 'open')")
    _table(
        "charge",
        "id:int# key:text! customer_id:int>customer csn:text subscription_id:int?>subscription term_number:int part:int "
        "purpose:text order_id:int?>sale_order charged_on:day as_of:at amount_minor:minor currency:text method:text "
        "state:text created_at:at settled_at:at? provider_ref:text?",
        state_known="state IN ('pending', 'succeeded', 'declined', 'refunded')",
        method_known="method IN ('card', 'direct_debit', 'paypal')",
        purpose_known="purpose IN ('order', 'renewal', 'installment', 'invoice')",
        amount="amount_minor > 0",
    )
    _index("charge", "subscription_id")
    _index("charge", "subscription_id", "ix_charge_pending", where="state = 'pending'")
    _index(
        "charge",
        "subscription_id term_number part",
        "uq_charge_once",
        where="state IN ('pending', 'succeeded') AND purpose IN ('renewal', 'installment')",
    )
    _index("charge", "order_id", "uq_charge_order", where="state IN ('pending', 'succeeded') AND order_id IS NOT NULL")
    _table(
        "charge_share",
        "charge_id:int#>charge position:int# subscription_id:int>subscription invoice_id:int?>invoice amount_minor:minor",
    )
    _index("charge_share", "subscription_id")


def _record() -> None:
    _table(
        "event",
        "id:int# subscription_id:int?>subscription customer_id:int?>customer kind:text name:text from_state:text? "
        "to_state:text? effective_on:day recorded_at:at cause:text rule:text? detail:text?",
        kind_known="kind IN ('transition', 'decision', 'command')",
    )
    _index("event", "subscription_id")
    _table(
        "notice",
        "id:int# subscription_id:int>subscription term_number:int kind:text due_on:day cause:text recipient:text "
        "language:text mail_key:text? state:text detail:text? created_at:at settled_at:at?",
        once="subscription_id term_number kind due_on cause recipient",
        kind_known="kind IN ('order_confirmation', 'window_opened', 'renewal_reminder', 'quote', 'renewed', "
        "'auto_renew_changed', 'payment_failed', 'invoice', 'invoice_overdue', 'expired', 'suspended', 'canceled', "
        "'reinstated', 'trial_ended', 'returned', 'user_removed', 'payment_method_expiring')",
        state_known="state IN ('pending', 'sent', 'dropped')",
    )
    _index("notice", "id", "ix_notice_pending", where="state = 'pending'")
    _table(
        "job_run",
        "id:int# job:text zone_id:int?>zone day:day cause:text started_at:at finished_at:at done:int set_aside:int",
    )
    _index("job_run", "job zone_id day", "ix_job_run_when")
    _table(
        "stuck",
        "subscription_id:int#>subscription due:text due_on:day error:text tries:int first_at:at last_at:at",
    )


def _provider() -> None:
    _table("provider_switch", "id:int# csn:text at:at declines:flag")
    _index("provider_switch", "csn at", "ix_provider_switch_csn")
    _table("provider_charge", "key:text# csn:text amount_minor:minor currency:text as_of:at taken:flag")


def _append_only() -> None:
    """The record refuses changes, whoever asks (S3)."""
    if _is_postgres():
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the record is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER event_is_append_only_{verb.lower()} BEFORE {verb} ON event "
            "BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END"
        )


def downgrade() -> None:
    children_first = (
        "provider_charge provider_switch stuck job_run notice event charge_share charge installment invoice_line "
        "invoice order_line sale_order quote_recipient quote_line quote assignment pending_change term subscription "
        "payer customer zone counter"
    )
    for name in children_first.split():
        op.drop_table(name)
    if _is_postgres():
        op.execute("DROP FUNCTION refuse_change()")


def _is_postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _table(table: str, columns: str, once: str = "", **checks: str) -> None:
    """A table, its checks by name and, in `once`, columns that are unique together."""
    found = [_column(written) for written in columns.split()]
    key = [match["name"] for match in found if match["key"]]
    unique = [[match["name"]] for match in found if match["unique"]] + ([once.split()] if once else [])
    op.create_table(
        table,
        *(sa.Column(match["name"], _TYPES[match["type"]], nullable=bool(match["null"])) for match in found),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in checks.items()),
        *(sa.UniqueConstraint(*names, name=_unique_name(table, names)) for names in unique),
        *(_reference(table, match["name"], match["parent"]) for match in found if match["parent"]),
    )


def _column(written: str) -> re.Match[str]:
    match = _COLUMN.fullmatch(written)
    if match is None:
        raise ValueError(f"{written} is no column")
    return match


def _reference(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}_{parent}"))


def _unique_name(table: str, columns: list[str]) -> str:
    """PostgreSQL takes names of at most 63 characters; SQLAlchemy cuts the one that is longer."""
    name = f"uq_{table}_{'_'.join(columns)}"
    return op.f(f"{name[:55]}_599c" if len(name) > 63 and _is_postgres() else name)


def _index(table: str, columns: str, name: str = "", where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        op.f(name or f"ix_{table}_{columns}"),
        table,
        columns.split(),
        unique=name.startswith("uq_"),
        sqlite_where=condition,
        postgresql_where=condition,
    )
