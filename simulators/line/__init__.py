"""A bad line: a TCP proxy that can cut, stall, delay, throttle and lose answers."""
