import time
from threading import Thread
from tests.factories import *
from app.services import delivery
from app.store import zones
from app.store.engine import writing
from app.services.commands import buying
def test_big(engine):
    ctx = make_context(engine)
    try: buy(ctx, "S1", seats=100_000); print(engine.dialect.name, "ok")
    except Exception as e: print(engine.dialect.name, type(e), str(e)[:100])
def test_zone(postgres_book_url):
    from app.store.engine import open_engine
    e=open_engine(postgres_book_url); out=[]
    def go():
        try:
            with writing(e) as c: zones.id_of(c,"Asia/Tokyo",START); time.sleep(.3)
            out.append("ok")
        except Exception as x: out.append(type(x))
    ts=[Thread(target=go) for _ in range(2)]; [t.start() for t in ts]; [t.join() for t in ts]; print(out); e.dispose()
def test_mail(sqlite_book_url):
    from app.store.engine import open_engine
    e=open_engine(sqlite_book_url)
    ctx=make_context(e,page_size=1); customer(ctx)
    buying.buy(ctx,CSN,[buying.Item("S1","REED",TermKind.ANNUAL,1),buying.Item("S2","REED",TermKind.ANNUAL,1)],Method.CARD)
    class M:
        def send(self, mails): print([(m.key,[s.ref for s in m.subscriptions]) for m in mails])
    delivery.deliver(ctx,M()); e.dispose()
