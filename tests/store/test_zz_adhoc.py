import time
from threading import Thread
from tests.factories import *
from app.services.batch import Batch
from app.services.commands import renewing
from app.store.facts import Facts
from sqlalchemy import text
def test_race(engine, monkeypatch):
    load_=Facts._load
    def _load(self, column, values):
        if self._lock and not self._is_sqlite and values:
            cond, params = self._in(column, values)
            self._run(f"SELECT s.id FROM subscription s WHERE {cond} ORDER BY s.id FOR UPDATE", params)
        lock, self._lock = self._lock, False
        try: return load_(self, column, values)
        finally: self._lock = lock
    monkeypatch.setattr(Facts,"_load",_load)
    ctx = make_context(engine)
    buy(ctx, "S1"); ctx.clock.move_to(at("2026-05-01 12:00"))
    taken=len(ctx.provider.taken)
    write = Batch.write
    def slow(self):
        write(self); time.sleep(0.4)
    monkeypatch.setattr(Batch, "write", slow)
    out=[]
    def go():
        try: out.append(renewing.renew(ctx, ["S1"], payment=Method.CARD))
        except BaseException as e: out.append(e)
    ts=[Thread(target=go) for _ in range(2)]
    ts[0].start(); time.sleep(0.15); ts[1].start()
    [t.join() for t in ts]
    print(engine.dialect.name, [repr(o)[:300] for o in out], "charges", len(ctx.provider.taken)-taken)
    with engine.connect() as c: print(c.execute(text("select id,purpose,order_id,state from charge")).all(), c.execute(text("select number,state from sale_order")).all())
