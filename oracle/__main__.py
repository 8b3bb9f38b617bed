import sys
from pathlib import Path

from oracle.plan import small
from oracle.run import run

plan = small(int(sys.argv[1]))
for f in plan.faults:
    print(f)
o = run(plan, Path("/tmp/oracle/run"))
for f in o.findings[:60]:
    print(f)
print("\n".join(o.history[:80]))
print(o.hits, o.unhit, o.commands, o.unknown, o.kills, o.seconds, o.commits, o.records, o.mails, o.totals)
