"""The ways out: exports today; destinations and automations beside them."""
