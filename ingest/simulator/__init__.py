"""A video-rendering studio that never was: its people, what they did and paid, and what its systems would have sent.

The world comes first (``people``, ``behaviour``, ``subscriber``), then what each system tells of it (``app_files``,
``segment_files``, ``stripe_files``, ``meta_files``), and apart from both what is true (``truth``). Nothing of the
warehouse is used, so the truth can be held against it.
"""
