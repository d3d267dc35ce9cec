import pytest

pytest.register_assert_rewrite("tests.identity.side_by_side")
