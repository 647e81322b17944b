"""The test payment provider's own books. It stands for somebody else's system, so nothing refers to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class ProviderSwitch(SQLModel, table=True):
    """From `at` on the provider declines, or takes again, every charge of a customer."""

    __tablename__ = "provider_switch"
    __table_args__ = (Index("ix_provider_switch_csn", "csn", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    csn: str
    at: datetime
    declines: bool


class ProviderCharge(SQLModel, table=True):
    """A charge the provider was asked for, by the key it was asked with."""

    __tablename__ = "provider_charge"
    key: str = Field(primary_key=True)
    csn: str
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    as_of: datetime
    taken: bool
