"""What of a name, a phone or a room may be shown; the only place where any of them is shortened."""

_COMPOUND_SURNAMES = frozenset(
    [
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "闾丘",
        "子车",
        "亓官",
        "司寇",
        "巫马",
        "公西",
        "颛孙",
        "壤驷",
        "公良",
        "漆雕",
        "乐正",
        "宰父",
        "谷梁",
        "拓跋",
        "夹谷",
        "轩辕",
        "令狐",
        "段干",
        "百里",
        "呼延",
        "东郭",
        "南门",
        "羊舌",
        "微生",
        "公户",
        "公玉",
        "公仪",
        "梁丘",
        "公仲",
        "公上",
        "公门",
        "公山",
        "公坚",
        "左丘",
        "公伯",
        "西门",
        "公祖",
        "第五",
        "公乘",
        "贯丘",
        "公皙",
        "南荣",
        "东里",
        "东宫",
        "仲长",
        "子书",
        "子桑",
        "即墨",
        "达奚",
        "褚师",
    ]
)


def mask_name(name: str) -> str:
    """张三 is 张*, 欧阳小明 is 欧阳**, Smith is S***: the surname stays, every other character hides."""
    name = name.strip()
    if not name:
        return ""
    if name[0].isascii():
        return f"{name[0].upper()}***"
    surname = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    return name[:surname] + "*" * max(1, len(name) - surname)


def mask_phone(phone: str) -> str:
    """13812345678 is 138****5678; anything too short to keep seven digits is hidden whole."""
    digits = "".join(char for char in phone if char.isdigit())
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else "****"


HIDDEN_ENTRANCE = "***"  # on the small plate of later screens: 3栋***502, 3-***-502
