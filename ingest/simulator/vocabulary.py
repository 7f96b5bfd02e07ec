"""The words of the world: campaigns, countries, names, machines, and what the properties of an event may say."""

from __future__ import annotations

from typing import NamedTuple


class Campaign(NamedTuple):
    """Where visitors come from; ``appeal`` is how many of them sign up."""

    source: str | None
    medium: str | None
    name: str | None
    weight: float
    appeal: float


CAMPAIGNS = (
    Campaign(None, None, None, 4.5, 0.42),
    Campaign("google", "cpc", "spring-launch", 2.4, 0.5),
    Campaign("google", "cpc", "brand", 1.0, 0.62),
    Campaign("facebook", "paid_social", "creators-eu", 1.8, 0.36),
    Campaign("instagram", "paid_social", "reels-templates", 1.4, 0.33),
    Campaign("newsletter", "email", "monthly-digest", 1.2, 0.66),
    Campaign("youtube", "video", "tutorials", 1.3, 0.55),
    Campaign("partner", "referral", "film-school", 0.6, 0.7),
)
#: Campaigns whose visitors carry Meta's click id.
META_SOURCES = ("facebook", "instagram")


class Country(NamedTuple):
    """Where somebody lives and pays."""

    code: str
    weight: float
    locale: str
    timezone: str
    city: str
    currency: str
    dialling: str
    network: str


COUNTRIES = (
    Country("US", 4.0, "en-US", "America/New_York", "Austin", "usd", "1", "203.0.113"),
    Country("GB", 1.2, "en-GB", "Europe/London", "Leeds", "usd", "44", "198.51.100"),
    Country("DE", 1.3, "de-DE", "Europe/Berlin", "Leipzig", "eur", "49", "192.0.2"),
    Country("FR", 0.9, "fr-FR", "Europe/Paris", "Saint-Étienne", "eur", "33", "192.0.2"),
    Country("IN", 1.1, "en-IN", "Asia/Kolkata", "Pune", "usd", "91", "198.51.100"),
    Country("BR", 0.8, "pt-BR", "America/Sao_Paulo", "São Paulo", "usd", "55", "203.0.113"),
)
FIRST_NAMES = (
    "Ada",
    "Bela",
    "Chiara",
    "Dmitri",
    "Emeka",
    "Fatima",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kofi",
    "Léa",
    "Mira",
    "Noor",
    "Owen",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tariq",
    "Uma",
    "Vera",
    "Wen",
    "Yara",
)
LAST_NAMES = (
    "Almeida",
    "Berg",
    "Chen",
    "Diallo",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nkosi",
    "Okafor",
    "Patel",
    "Quispe",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weiss",
    "Yılmaz",
)
COMPANY_NAMES = ("Northlight Films", "Pixel & Sons", "Studio Lumen", "Kite Media", "Harbour Post", "Atelier Vingt")
INDUSTRIES = ("media", "advertising", "education", "games", "retail")


class Machine(NamedTuple):
    """What a browser or an application says of the device it runs on."""

    user_agent: str
    system: str
    kind: str


BROWSERS = (
    Machine("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Windows", "pc"),
    Machine("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15", "macOS", "pc"),
    Machine("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Linux", "pc"),
)
PHONES = (
    Machine("Studio/5.2 (iPhone16,1; iOS 19.0)", "iOS", "ios"),
    Machine("Studio/5.2 (Pixel 10; Android 17)", "Android", "android"),
)
BOT = Machine("Mozilla/5.0 (compatible; ShowreelBot/2.1; +https://showreelbot.example/bot)", "Linux", "bot")

PAGES = (
    ("/", "Welcome"),
    ("/templates", "Templates"),
    ("/templates/podcast", "Podcast template"),
    ("/pricing", "Pricing"),
    ("/docs", "Documentation"),
    ("/blog/color-grading", "Color grading in five minutes"),
    ("/app", "Projects"),
    ("/app/editor", "Editor"),
)
SCREENS = ("Home", "Projects", "Render queue", "Preview")
SITE = "https://studio.example"
