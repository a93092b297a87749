"""Colombian cities and the area digit of their fixed lines (601 Bogotá, 604 Medellín, ...)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CITIES: dict[str, str] = {
    "1": "bogota, cundinamarca, soacha, chia, zipaquira, facatativa, funza, mosquera, madrid, cajica, cota, tocancipa, "
    "fusagasuga, girardot, la calera, sopo, ubate, villeta",
    "2": "cali, valle, valle del cauca, palmira, buenaventura, tulua, buga, guadalajara de buga, cartago, jamundi, "
    "yumbo, candelaria, popayan, cauca, santander de quilichao, pasto, narino, ipiales, tumaco",
    "4": "medellin, antioquia, bello, itagui, envigado, rionegro, sabaneta, la estrella, caldas antioquia, copacabana, "
    "girardota, apartado, turbo, caucasia, monteria, cordoba, lorica, cerete, sahagun, quibdo, choco",
    "5": "barranquilla, atlantico, soledad, malambo, cartagena, cartagena de indias, bolivar, magangue, turbaco, "
    "santa marta, magdalena, cienaga, valledupar, cesar, aguachica, sincelejo, sucre, corozal, riohacha, maicao, "
    "guajira",
    "6": "pereira, risaralda, dosquebradas, santa rosa de cabal, manizales, caldas, la dorada, villamaria, armenia, "
    "quindio, calarca, montenegro",
    "7": "bucaramanga, santander, floridablanca, giron, piedecuesta, barrancabermeja, san gil, socorro, cucuta, "
    "norte de santander, los patios, villa del rosario, ocana, pamplona, arauca, tame, saravena",
    "8": "ibague, tolima, espinal, honda, neiva, huila, pitalito, garzon, villavicencio, meta, acacias, granada, "
    "tunja, boyaca, duitama, sogamoso, chiquinquira, yopal, casanare, florencia, caqueta, mocoa, putumayo, leticia, "
    "amazonas, san andres, san jose del guaviare, guaviare, inirida, mitu, puerto carreno",
}

_AREA: dict[str, str] = {name.strip(): digit for digit, names in _CITIES.items() for name in names.split(",")}


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Lower case without accents, runs of blanks as one: what names of cities and columns are compared by."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


@lru_cache(maxsize=4096)
def area_digit(city: str) -> str | None:
    """The digit after 60 in the city's fixed numbers; None if the city is not known."""
    name = plain(city)
    if name in _AREA:
        return _AREA[name]
    short = re.split(r"[,(/-]", name)[0].strip()  # "Cali - Valle", "Bogotá, D.C."
    short = re.sub(r"\s+d\.?\s*c\.?$", "", short)
    return _AREA.get(short)
