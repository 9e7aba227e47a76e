"""Words that say little of what a text is about, in folded form."""

from typing import Final

_ENGLISH: Final = """
a about am an and any are as at be been being but by can could d did do does doing don for from had has have he her him
his i if in into is it its itself just ll m me my of on or our ours please re s shall she should so some such t than
thank thanks that the their theirs them then there these they this those to too us ve very was we were will with would
you your yours hi hello hey
"""
_CHINESE: Final = """
的 了 吗 呢 吧 啊 呀 哦 嘛 啦 喔 是 在 和 与 及 或 也 就 都 而 着 把 被 给 对 从 向 于 之 其 我 你 您 他 她 它 我们 你们
您们 他们 咱们 这 那 这个 那个 这些 那些 这样 那样 请 请问 想 想要 要 会 能 可以 一下 一个 个 有 很 还 又 再 才 谢谢
你好 您好 哈 呵 地 得 并 但 但是 如果 因为 所以 以及 的话 来 去 到 上 下 里 让 用 做 说 看
"""

ENGLISH: Final = frozenset(_ENGLISH.split())
"""The words that ask (how, what, when, where, which, who, why) and negate (no, not) stay: they tell FAQs apart."""

CHINESE: Final = frozenset(_CHINESE.split())
