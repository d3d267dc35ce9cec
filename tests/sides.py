"""What happens beside a test, in a real thread with a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

LONGEST_SECONDS = 180


class Side(threading.Thread):
    """Does something beside the test; `outcome` is what it returned or raised."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.outcome: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.act()
        except Exception as error:
            self.outcome = error
        finally:
            connection.close()

    def result(self) -> Any:
        self.join(LONGEST_SECONDS)
        assert not self.is_alive()
        return self.outcome
