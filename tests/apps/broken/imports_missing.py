"""Is there, but imports what is not."""

import a_module_that_nobody_wrote  # noqa: F401
