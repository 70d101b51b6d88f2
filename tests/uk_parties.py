"""Who the parties of the United Kingdom's treaties are: ids, kinds and countries of the names in the data.

A name has a code of ISO 3166 when it is that of a state or territory with one, or another spelling of it. A former
state has the code that was withdrawn for it since 1974. Older names (Siam, Persia, Prussia) have none: they stay
parties of their own, as the data does not say who came after them.
"""

from typing import Any

CODED = """
AFGHANISTAN AFG; ALBANIA ALB; ANTIGUA AND BARBUDA ATG; ARGENTINA ARG; ARGENTINE REPUBLIC ARG; AUSTRALIA AUS;
AUSTRIA AUT; BAHAMAS BHS; BAHRAIN BHR; BANGLADESH BGD; BARBADOS BRB; BELGIUM BEL; BELIZE BLZ;
BOLIVIA BOL; BOTSWANA BWA; BRAZIL BRA; BULGARIA BGR; BURMA BUMM; Brunei BRN; CAMBODIA KHM; CAMEROON CMR;
CANADA CAN; CHILE CHL; CHINA CHN; CHINA P R CHN; COLOMBIA COL; COSTA RICA CRI; CUBA CUB; CYPRUS CYP;
CZECH REPUBLIC CZE; CZECHOSLOVAKIA CSHH; DAHOMEY DYBJ; DENMARK DNK; DOMINICA, COMMONWEALTH OF DMA;
DOMINICAN REPUBLIC DOM; ECUADOR ECU; EGYPT EGY; EIRE IRL; EL SALVADOR SLV; ESTONIA EST; ETHIOPIA ETH; FIJI FJI;
FINLAND FIN; FRANCE FRA; GAMBIA THE GMB; GERMANY DEU; GERMANY FEDERAL REPUBLIC DEU; GHANA GHA; GREECE GRC;
GRENADA GRD; GUATEMALA GTM; GUINEA GIN; GUYANA GUY; HAITI HTI; HONDURAS HND; HUNGARY HUN; ICELAND ISL; INDIA IND;
INDONESIA IDN; IRAN IRN; IRAQ IRQ; IRELAND IRL; IRELAND, REPUBLIC OF IRL; ISRAEL ISR; ITALY ITA; IVORY COAST CIV;
JAMAICA JAM; JAPAN JPN; JORDAN JOR; KAZAKHSTAN KAZ; KENYA KEN; KOREA REPUBLIC OF KOR; KUWAIT KWT; LAOS LAO;
LATVIA LVA; LEBANON LBN; LESOTHO LSO; LIBERIA LBR; LIBYA LBY; LITHUANIA LTU; LUXEMBOURG LUX; MADAGASCAR MDG;
MALAWI MWI; MALAYSIA MYS; MALDIVES MDV; MALI MLI; MALTA MLT; MAURITANIA MRT; MAURITIUS MUS; MEXICO MEX; MONACO MCO;
MONGOLIA MNG; MONTENEGRO MNE; MOROCCO MAR; NEPAL NPL; NETHERLANDS THE NLD; NEW ZEALAND NZL; NICARAGUA NIC;
NIGER NER; NIGERIA NGA; NORWAY NOR; OMAN OMN; PAKISTAN PAK; PANAMA PAN; PARAGUAY PRY; PERU PER; PHILIPPINES PHL;
POLAND POL; PORTUGAL PRT; QATAR QAT; ROMANIA ROU; ROUMANIA ROU; RUSSIA RUS; RWANDA RWA; SALVADOR SLV; SAMOA WSM;
SAN MARINO SMR; SAUDI ARABIA SAU; SERBIA SRB; SEYCHELLES SYC; SIERRA LEONE SLE; SINGAPORE SGP; SOLOMON ISLANDS SLB;
SOMALI DEMOCRATIC REPUBLIC SOM; SOMALIA SOM; SOUTH AFRICA ZAF; SOVIET UNION SUHH; SPAIN ESP; SRI LANKA LKA;
ST LUCIA LCA; ST VINCENT AND THE GRENADINES VCT; SUDAN SDN; SURINAME SUR; SWAZILAND SWZ; SWEDEN SWE;
SWITZERLAND CHE; SYRIA SYR; TANZANIA TZA; THAILAND THA; TONGA TON; TRINIDAD AND TOBAGO TTO; TUNISIA TUN;
TURKEY TUR; UGANDA UGA; UNITED ARAB EMIRATES ARE; UNITED KINGDOM GBR; UNITED STATES OF AMERICA USA; URUGUAY URY;
VENEZUELA VEN; VIETNAM VNM; WESTERN SAMOA WSM; YEMEN YEM; YEMEN ARAB REPUBLIC YEM;
YEMEN, PEOPLES'S DEMOCRATIC REPUBLIC OF YDYE; YUGOSLAVIA YUCS; ZAMBIA ZMB
"""

CODED_TERRITORIES = """
Bermuda BMU; Gibraltar GIB; PALESTINE (INCL. PLO) PSE; Southern Rhodesia RHZW
"""

TERRITORIES = """
Aden Colony; Cape Of Good Hope; St Christopher, Nevis and Anguilla; St Kitts Nevis Anguilla;
West Indies Associated States
"""

FORMER_STATES = """
ABYSSINIA; AUSTRIA-HUNGARY; BADEN; BAVARIA; BENIN; BORNEO; BREMEN; CEYLON; CHINA REPUBLIC OF; CONGO; FRANKFORT;
GERMAN EMPIRE; GERMANIC CONFEDERATION; HAMBURG; HANOVER; HESSE DARMSTADT; JOHANNA; KOREA; MALAYA;
MECKLENBERG-SCHWERIN; MECKLENBERG-STRELITZ; MUSCAT; NEW GRANADA; OLDENBURG; ORANGE FREE STATE; PERSIA; PRUSSIA;
SANDWICH ISLANDS; SARDINIA; SAXE-COBURG-GOTHA; SERB-CROAT-SLOVENE STATE; SHARJAH; SIAM; SICILY; SWEDEN AND NORWAY;
TANGANYIKA; TEXAS; TRANSJORDAN; TRIPOLI; TUNIS; TUSCANY; ZANZIBAR
"""
"""Names without a code: the code of Benin is not that kingdom's, and of Congo there have been several."""

ORGANISATIONS = """
EUROPEAN ATOMIC COMMUNITY; EUROPEAN ATOMIC ENERGY COMMUNITY (EAEC); EUROPEAN ATOMIC ENERGY COMMUNITY (EURATOM);
EUROPEAN COAL AND STEEL COMMUNITY; EUROPEAN COMMUNITY; EUROPEAN ECONOMIC COMMUNITY;
EUROPEAN SPACE RESEARCH ORGANISATION; FOOD AND AGRICULTURE ORGANIZATION; INTER-AMERICAN DEVELOPMENT BANK;
INTERNATIONAL ATOMIC ENERGY AGENCY; INTERNATIONAL BANK FOR RECONSTRUCTION AND DEVELOPMENT;
INTERNATIONAL COCOA ORGANIZATION; INTERNATIONAL COFFEE ORGANISATION; INTERNATIONAL DEVELOPMENT ASSOCIATION;
INTERNATIONAL LABOUR ORGANISATION; INTERNATIONAL SUGAR ORGANISATION; INTERNATIONAL WHALING COMMISSION;
INTERNATIONAL WHEAT COUNCIL; SOUTHEAST ASIA TREATY ORGANIZATION; UNITED NATIONS; WORLD FOOD PROGRAMME
"""

OTHERS = """
PERSIAN GULF STATES
"""

SAME = {
    "european-atomic-community": "euratom",
    "european-atomic-energy-community-eaec": "euratom",
    "european-atomic-energy-community-euratom": "euratom",
    "st-kitts-nevis-anguilla": "st-christopher-nevis-and-anguilla",
}
"""Ids of names that mean the same party."""

SMALL_WORDS = ("And", "For", "Of", "The")


def slug(text: str) -> str:
    """Make an id of a text: its letters and digits in lower case, with hyphens between its words."""
    words = "".join(character if character.isalnum() else " " for character in text.lower().replace("'", ""))
    return "-".join(words.split())


def _name(given: str) -> str:
    """Write a name as people do: ``NETHERLANDS THE`` is The Netherlands; what stands in brackets is left out."""
    words = given.partition(" (")[0].title().replace("'S", "'s").split()
    if words[-1] == "The":
        words = [words[-1], *words[:-1]]
    return " ".join(word.lower() if i and word in SMALL_WORDS else word for i, word in enumerate(words))


def _listed(names: str) -> list[str]:
    return [" ".join(name.split()) for name in names.split(";")]


def _parties() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind, coded in (("state", CODED), ("territory", CODED_TERRITORIES)):
        for entry in _listed(coded):
            name, _, code = entry.rpartition(" ")
            found[name] = {"id": code.lower(), "kind": kind, "name": {"en": _name(name)}, "country": code}
    for kind, names in (
        ("state", FORMER_STATES),
        ("territory", TERRITORIES),
        ("organisation", ORGANISATIONS),
        ("other", OTHERS),
    ):
        for name in _listed(names):
            found[name] = {"id": SAME.get(slug(name), slug(name)), "kind": kind, "name": {"en": _name(name)}}
    return found


PARTIES = _parties()
"""The party that each name in the data stands for, as an event gives it."""
