"""The site's certificates: a private authority of its own, or what a city's authority gave."""
