"""Currencies and the digits behind the point of an amount."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NO_DIGITS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_TWO_DIGITS = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop"
    " crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl hrk htg huf idr ils inr"
    " irr isk jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mro mru mur mvr mwk mxn myr mzn"
    " nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sll sos srd ssp"
    " std stn svc syp szl thb tjs tmt top try ttd twd tzs uah ugx usd uyu uzs ved vef ves wst xcd xcg yer zar zmw zwg"
)
_THREE_DIGITS = "bhd iqd jod kwd lyd omr tnd"

#: Digits behind the point of an amount as Stripe tells it, by currency: ISO 4217, those it withdrew since 2017 too, but
#: mga has none, and isk and ugx have hundredths that are never used.
CURRENCY_DIGITS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(_NO_DIGITS.split(), 0),
        **dict.fromkeys(_TWO_DIGITS.split(), 2),
        **dict.fromkeys(_THREE_DIGITS.split(), 3),
    }
)
