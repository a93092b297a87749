"""Was every contact lawful? Judged again from what was written down, sharing no rule with the gate that let it pass.

The gate reads profiles and decides before a contact; this room holds the same laws as small tables written on their own
and judges afterwards, so that an error in one is seen by the other. It imports nothing of the program but its errors:
do not lend it the gate's rules.
"""

from cadencia.recheck.dossier import Dossier, read
from cadencia.recheck.laws import LAWS
from cadencia.recheck.walk import Report, Violation, recheck, recheck_all

__all__ = ["LAWS", "Dossier", "Report", "Violation", "read", "recheck", "recheck_all"]
