"""Money boxes: what M-Pesa holds for each merchant, and the text messages it sends about money."""

from dataclasses import dataclass

from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json


@dataclass(slots=True)
class Box:
    """Whole shillings: payments come into `working`, from which payouts to tills leave too; those to phones
    leave from `utility`."""

    working: int
    utility: int


class MoneyBox:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._boxes: dict[str, Box] = {}
        self._texts: list[Json] = []
        self.reset()

    def reset(self) -> None:
        self._boxes = {app.shortcode: Box(app.working, app.utility) for app in self._stage.world.daraja}
        self._texts.clear()

    def of(self, app: DarajaApp) -> Box:
        return self._boxes[app.shortcode]

    def collected(self, app: DarajaApp, amount: int) -> None:
        self.of(app).working += amount
        self._tell()

    def paid_out(self, app: DarajaApp, amount: int) -> bool:
        """False, and nothing moved, where the utility account is short."""
        box = self.of(app)
        if box.utility < amount:
            return False
        box.utility -= amount
        self._tell()
        return True

    def left_working(self, app: DarajaApp, amount: int) -> bool:
        """Given back, or paid to a till. False, and nothing moved, where the working account is short."""
        box = self.of(app)
        if box.working < amount:
            return False
        box.working -= amount
        self._tell()
        return True

    def set(self, shortcode: str, *, utility: int | None = None, working: int | None = None) -> bool:
        """False for a shortcode that is none."""
        if shortcode not in self._boxes:
            return False
        box = self._boxes[shortcode]
        box.utility = box.utility if utility is None else utility
        box.working = box.working if working is None else working
        self._tell()
        return True

    def sms(self, number: str, text: str) -> None:
        phone = self._stage.holder(number)
        told = {
            "id": self._stage.ids.trace(),
            "phone": phone.key if phone else None,
            "number": "+" + number,
            "at": self._stage.now_ms,
            "text": text,
        }
        self._texts.append(told)
        self._stage.feed.tell("sms", told)

    def texts(self) -> list[Json]:
        return self._texts

    def _tell(self) -> None:
        self._stage.feed.tell("floats", self.view())

    def view(self) -> list[Json]:
        return [
            {
                "shortcode": app.shortcode,
                "merchant": app.merchant,
                "at": f"M-Pesa {app.shortcode}",
                "working": self.of(app).working,
                "utility": self.of(app).utility,
            }
            for app in self._stage.world.daraja
        ]
