"""What short answers say in the three scripts; Chinese in its simplified form, as `fold` gives it."""

from collections.abc import Sequence
from typing import Final


def _lines(text: str) -> tuple[str, ...]:
    """The entries of a list separated by `/`, the longest first."""
    return tuple(sorted((each.strip() for each in text.split("/") if each.strip()), key=len, reverse=True))


YES: Sequence[str] = _lines("""
yes / yes please / yeah / yea / yep / yup / y / ya / ok / okay / okey / k / sure / sure thing / of course /
certainly / absolutely / definitely / exactly / correct / right / that's right / that is right / that's correct /
that is correct / please do / go ahead / do it / do that / go for it / confirm / confirmed / i confirm / i do /
i agree / agreed / sounds good / fine / all right / alright / perfect / great / no problem / please / it is /
it does / it did / yes it did / affirmative / 好 / 好的 / 好啊 / 好呀 / 好吧 / 好喔 / 好滴 / 行 / 行的 / 行啊 /
可以 / 可以的 / 可以啊 / 是 / 是的 / 是啊 / 是呀 / 对 / 对的 / 对啊 / 对呀 / 没错 / 正确 / 嗯 / 嗯嗯 / 恩 / 要 /
要的 / 需要 / 想 / 确认 / 确定 / 我确认 / 我确定 / 同意 / 当然 / 当然可以 / 没问题 / 麻烦你 / 麻烦您 / 麻烦了 /
拜托 / 拜托了 / 有劳 / 就这样 / 就这么办 / 请继续 / 有 / 有的 / 成 / 妥 / 请
""")
NO: Sequence[str] = _lines("""
no / no thanks / no thank you / nope / nah / n / not / not yet / not now / not really / not at all / don't /
do not / please don't / negative / wrong / incorrect / it isn't / it is not / it doesn't / it did not / it didn't /
that's wrong / that's not right / i don't / i do not / i'd rather not / i don't think so / i don't want / later /
maybe later / no need / 不 / 不是 / 不是的 / 不对 / 不行 / 不可以 / 不用 / 不必 / 不要 / 不需要 / 不想 / 不好 /
不了 / 不同意 / 不正确 / 不确认 / 别 / 没 / 没有 / 没有用 / 没用 / 没帮助 / 没效果 / 否 / 错 / 错了 / 暂时不 /
先不 / 还没 / 还没有 / 免了 / 否定 / 甭
""")
UNDECIDED: Sequence[str] = _lines("""
no idea / not sure / i'm not sure / i am not sure / don't know / i don't know / do not know / maybe / perhaps /
right now / ok but / yes but / do i / no one / nobody / not received / don't understand / do not understand /
不知道 / 不清楚 / 不确定 / 不太确定 / 不懂 / 不明白 / 不记得 / 不好说 / 也许 / 可能 / 或许 / 再想想 / 我想想 /
对了 / 对不起 / 不好意思 / 没收到 / 没有收到 / 好像 / 好久 / 好几 / 要是 / 要不要 / 是不是 / 是否 / 有没有 / 有人 /
想问 / 想知道 / 行不行 / 可以吗 / 好不好 / 不知 / 是什么 / 请问 / 好慢 / 好烂 / 好差 / 别的 / 没什么
""")
AFTER_NO: Sequence[str] = _lines("""
it / it's / i / i'm / i'd / i'll / that / that's / this / the / don't / do / please / thanks / thank / not / never /
still / sorry / we / you / my / leave / keep / but / because / just / let's / actually / need / way / change / cancel /
send / use
""")
"""What may follow a no that is one; `no sound` is none."""
HOLDS_BACK: Sequence[str] = _lines("""
but / wait / hold on / not / don't / no / instead / except / however / stop / cancel that / 但 / 但是 / 不过 /
可是 / 等 / 先别 / 不 / 别 / 没 / 除了 / 而是 / 停
""")
"""Behind a yes, these make it none."""
ASKS: Sequence[str] = _lines("""
what / when / where / which / who / why / how / how much / how many / how long / can i / can you / could you /
could i / do you / do i / does / is it / is there / are there / are you / will you / will it / should i / may i /
would you / 吗 / 呢 / 什么 / 怎么 / 怎样 / 如何 / 哪 / 多久 / 多少 / 几天 / 几个 / 为何 / 为什么 / 是否 / 能不能 /
可不可以 / 有没有 / 是不是 / 会不会 / 啥 / 请问
""")
NEVER_MIND: Sequence[str] = _lines("""
never mind / nevermind / nvm / forget it / forget about it / forget that / drop it / leave it / leave it be / stop /
stop it / stop that / quit / exit / abort / cancel / cancel that / cancel this / not any more / not anymore /
i changed my mind / changed my mind / i don't want to any more / 算了 / 算了吧 / 那算了 / 不用了 / 不要了 / 不必了 /
没事 / 没事了 / 不弄了 / 不改了 / 不退了 / 不换了 / 不取消了 / 不查了 / 不问了 / 不需要了 / 取消吧 / 作罢 / 放弃 /
停 / 停止 / 别弄了 / 当我没说 / 免了 / 退出 / 先不用了 / 我改主意了 / 改变主意了
""")
AGAIN: Sequence[str] = _lines("""
try again / please try again / again / retry / once more / try / try now / try it again / try once more / continue /
go on / carry on / proceed / resume / go back / are you back / hello / 再试 / 再试一次 / 再试试 / 再试一下 /
请再试 / 重试 / 再来 / 再来一次 / 继续 / 试试 / 试试看 / 试一下 / 接着 / 接着来 / 恢复了吗 / 好了吗 / 再查 /
再查一次 / 再查一下 / 再查查
""")
DID_NOT_HELP: Sequence[str] = _lines("""
still not / still no / still doesn't / still does not / still won't / still isn't / still the same / still * issue /
still * problem / still / doesn't work / does not work / doesn't help / did not help / didn't help / didn't work /
did not work / not working / no luck / no change / no difference / nothing happens / nothing happened /
nothing changed / same problem / same issue / the same / won't / unfortunately not / 没用 / 没有用 / 无效 / 没效 /
没反应 / 没有反应 / 没变化 / 没有变化 / 没帮助 / 没有帮助 / 没解决 / 没有解决 / 没好 / 还是 / 依然 / 仍然 / 仍旧 /
依旧 / 一样 / 不行 / 不能用 / 不管用 / 没办法 / 都试过 / 试过了 / 做过了
""")
HELPED: Sequence[str] = _lines("""
works now / it works / working now / works again / working again / is working / worked / it worked / fixed /
solved / resolved / that helped / it helped / that did it / that did the trick / all good / good now / thanks /
thank you / 好了 / 可以了 / 行了 / 解决了 / 搞定 / 搞定了 / 成功 / 有用 / 有帮助 / 有效 / 正常了 / 恢复了 / 修好了 /
连上了 / 能用了 / 谢谢 / 感谢 / 多谢
""")
DOES_NOT_KNOW: Sequence[str] = _lines("""
don't know / do not know / no idea / don't have / do not have / can't find / cannot find / lost it / not sure /
don't remember / do not remember / forgot / 不知道 / 不记得 / 忘了 / 忘记 / 没有 / 找不到 / 不清楚 / 不确定
""")
ANOTHER: Sequence[str] = _lines("""
other / another / all my / my orders / orders / different / else / 别的 / 另一 / 另外 / 其他 / 其它 / 所有 / 全部 /
哪些 / 不同 / 换一个
""")
"""The customer does not mean what was talked of last."""
ORDINALS: Final = (
    ("first", "1st", "one", "第一", "第1", "一", "top", "latest", "newest", "most recent", "最新", "最近", "1"),
    ("second", "2nd", "two", "第二", "第2", "二", "两", "2"),
    ("third", "3rd", "three", "第三", "第3", "三", "3"),
    ("fourth", "4th", "four", "第四", "第4", "四", "4"),
    ("fifth", "5th", "five", "第五", "第5", "五", "5"),
    ("sixth", "6th", "six", "第六", "第6", "六", "6"),
    ("seventh", "7th", "seven", "第七", "第7", "七", "7"),
    ("eighth", "8th", "eight", "第八", "第8", "八", "8"),
    ("ninth", "9th", "nine", "第九", "第9", "九", "9"),
    ("tenth", "10th", "ten", "第十", "第10", "十", "10"),
)
LAST: Final = ("last", "oldest", "bottom", "最后", "末", "最旧")
PLACES: Sequence[str] = _lines("""
street / st / avenue / ave / road / rd / lane / ln / drive / dr / boulevard / blvd / way / court / ct / square /
place / floor / flat / apt / apartment / unit / suite / building / room / box / house / village / district / city /
county / 省 / 市 / 区 / 县 / 镇 / 乡 / 村 / 里 / 路 / 街 / 巷 / 弄 / 胡同 / 号 / 楼 / 室 / 栋 / 幢 / 段 / 座 / 层 /
单元 / 大道 / 大厦 / 小区 / 花园
""")
LEADS_TO_ADDRESS: Final = (
    r"(?:改成|改為|改为|改到|改至|換成|换成|換到|换到|變更為|变更为|變更到|变更到|更新為|更新为|更改為|更改为|寄到|送到|寄至|送至|配送到|"
    r"(?:新)?(?:的)?地址(?:是|為|为|：|:)|\baddress (?:is|to|should be|will be)\b:?|\baddress:|\b(?:ship|send|deliver)"
    r"(?: it| this| that| them| the order)? to\b:?|\bto\b:?)\s*(?:the\s+)?(?P<address>.+)$"
)
FILLERS: Sequence[str] = _lines("""
謝謝你 / 谢谢你 / 谢谢您 / 谢谢 / 多谢 / 感谢 / 麻烦你 / 麻烦您 / 麻烦 / 拜托 / 请帮我 / 帮我 / 请 / 你们 / 大家 /
客服 / 亲 / 一下 / 吧 / 啊 / 呀 / 哦 / 喔 / 噢 / 啦 / 了 / 的 / 呢 / 哈 / 嘛 / 耶 / 诶 / 唷 / 哟 / 咯 / 你 / 您 /
我 / 那 / 就 / 太 / 非常 / 真的 / 真
""") + tuple(
    f" {word} "
    for word in (
        "thank you so much",
        "thank you very much",
        "thank you",
        "thanks a lot",
        "thanks",
        "so much",
        "a lot",
        "please",
        "there",
        "everyone",
        "all",
        "team",
        "again",
        "then",
        "now",
        "just",
        "well",
        "oh",
        "ah",
        "hmm",
        "um",
        "uh",
        "it",
        "that",
        "this",
        "for you",
        "for your help",
        "you",
        "sir",
        "madam",
        "i",
        "me",
        "is",
        "so",
        "very",
        "to",
        "the",
        "and",
        "my",
        "for",
        "let's",
        "lol",
        "haha",
        "one",
        "with",
    )
)
