"""Words that customers of shops use for one another."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from steward.kit.text import terms

_GROUPS: Final = """
shipping delivery postage freight
ship deliver send post mail dispatch
parcel package box shipment
courier carrier driver postman
arrive come reach
price cost fee charge pay
cheap discount reduction sale
buy purchase order
bill invoice receipt
refund money
cancel stop withdraw
return back
exchange swap replace switch
broken damaged smashed cracked faulty defective
repair fix mend
fault defect malfunction
warranty guarantee
coupon voucher promo code
points rewards loyalty
gift present
phone telephone call hotline
email mail
contact reach
password passcode
login signin log
account profile
delete remove erase close
change edit modify update correct
address street
earphones earbuds headphones headset
network wifi wireless internet
battery power
manual instructions booklet guide
clean wash
stock available availability
store shop branch
open hours
missing lost stolen
wrong incorrect
abroad overseas international foreign
customs duty border
tax duty
card visa mastercard
refuse reject decline fail
photo picture image
video movie clip
question answer
enable activate
disable deactivate
create make add
show display view
hide conceal
download save export
upload import
mistake accident error
trash bin dispose recycle
employee staff personnel
customer client buyer
運費 邮费 邮资 快递费
快递 物流 包裹 宅配 配送 货运
送 寄 发 配送 派送
送到 寄到 到货 送达
发货 出货 寄出
签收 收到 拿到
坏 故障 损坏 破损 瑕疵 碎 碎掉 破 裂
坏掉 故障 损坏
修 修理 维修 送修 报修
保修 保固 质保
退货 退回 退
退款 退钱 退费
换货 换 更换
取消 撤销 不要 不想
改 修改 更改 变更 更换
填错 写错
地址 住址
便宜 优惠 折扣 降价
降价 便宜
差价 差额
发票 收据 报销
付款 付钱 支付 刷卡 结账 给钱
信用卡 卡片 刷卡
分期 分几个月
钱 款 金额 款项
重复 两次 两笔
失败 不过 刷不过 错误
账号 帐号 账户 帐户
注销 删除 删掉 关闭
登录 登入
密码 口令
积分 点数 红利 紅利
过期 到期 失效
优惠券 优惠码 折扣码 折价券
缺货 卖完 卖光 没货
补货 进货 现货
门店 门市 店 店里 实体店
自提 自取
周日 星期天 星期日 礼拜天 礼拜日
周末 假日 礼拜
几天 多久 几日 礼拜几
电话 热线 专线 拨打 致电
客服 真人 人工
公司 企业
大量 批量 团购
没电 耗电 掉电 续航
充电 充不进 充不进去 充不了
无线 网络 无线网 无线网络 wifi
连不上 连不到 搜不到 找不到
说明书 手册
弄丢 丢 不见 丢失 遗失 找不到
洗 清洁 清洗
海外 国外 国际 跨国 跨境
关税 进口税 海关
视频 影片
照片 图片 相片
软件 软体 程序 应用
信息 资讯 资料
"""


@cache
def _table() -> Mapping[str, Sequence[str]]:
    """For each term the others of its groups."""
    found: dict[str, dict[str, None]] = {}
    for line in _GROUPS.strip().splitlines():
        # A word of which segmentation makes several terms would stand for its parts: only whole ones count.
        group = [made[-1] for made in map(terms, line.split()) if len(made) == 1 or len(made[-1]) > 1]
        for term in group:
            found.setdefault(term, {}).update((other, None) for other in group if other != term)
    return {term: tuple(others) for term, others in found.items()}


def synonyms_of(term: str) -> Sequence[str]:
    """Terms that may stand for this one; none for most."""
    return _table().get(term, ())
