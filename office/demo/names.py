"""Invented people: common surnames and given names, phones from a block that belongs to nobody."""

import random

_SURNAMES = (
    "王",
    "李",
    "张",
    "刘",
    "陈",
    "杨",
    "赵",
    "黄",
    "周",
    "吴",
    "徐",
    "孙",
    "胡",
    "朱",
    "高",
    "林",
    "何",
    "郭",
    "马",
    "罗",
)
_COMPOUND = ("欧阳", "上官", "司徒", "诸葛")
_GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "刚",
)
_SECOND = ("", "", "国", "建", "文", "晓", "志", "海", "春", "玉")


def person(chance: random.Random) -> str:
    surname = chance.choice(_COMPOUND) if chance.random() < 0.05 else chance.choice(_SURNAMES)
    return surname + chance.choice(_SECOND) + chance.choice(_GIVEN)


def phone(chance: random.Random) -> str:
    return f"1990000{chance.randrange(10_000):04d}"
