"""What the command line says, in English, traditional and simplified Chinese."""

# ruff: noqa: RUF001  # Chinese sentences have Chinese punctuation.

from collections.abc import Mapping

from steward.bootstrap.cli.options import Lang

_LANGUAGES = (Lang.EN, Lang.ZH_HANT, Lang.ZH_HANS)

CATALOGUE: Mapping[str, tuple[str, str, str]] = {
    "audit.broken": (
        "The audit trail of {entries} entries has been tampered with or damaged.",
        "共 {entries} 筆的稽核紀錄遭竄改或損毀。",
        "共 {entries} 条的审计记录遭篡改或损坏。",
    ),
    "audit.exported": (
        "Exported {count} entries to {file}.",
        "已匯出 {count} 筆至 {file}。",
        "已导出 {count} 条至 {file}。",
    ),
    "audit.exporting": ("Exporting", "匯出中", "导出中"),
    "audit.intact": (
        "The audit trail is intact: {entries} entries, {checkpoints} checkpoints.",
        "稽核紀錄完整無誤：{entries} 筆紀錄、{checkpoints} 個檢查點。",
        "审计记录完整无误：{entries} 条记录、{checkpoints} 个检查点。",
    ),
    "auth.local": (
        "Not logged in: using the API key of {email} in {home}.",
        "尚未登入：使用 {home} 中 {email} 的 API 金鑰。",
        "尚未登录：使用 {home} 中 {email} 的 API 密钥。",
    ),
    "confirm.delete_tenant": (
        "Delete tenant {tenant} for good? Nothing of it can ever be read again.",
        "要永久刪除租戶 {tenant} 嗎？其資料將永遠無法再讀取。",
        "要永久删除租户 {tenant} 吗？其数据将永远无法再读取。",
    ),
    "confirm.delete_user": (
        "Delete user {user} and erase their personal data?",
        "要刪除使用者 {user} 並清除其個人資料嗎？",
        "要删除用户 {user} 并清除其个人数据吗？",
    ),
    "confirm.disable_user": (
        "Disable user {user} and end their sessions?",
        "要停用使用者 {user} 並結束其工作階段嗎？",
        "要停用用户 {user} 并结束其会话吗？",
    ),
    "confirm.revoke_key": (
        "Revoke API key {key}? Whatever uses it stops working.",
        "要撤銷 API 金鑰 {key} 嗎？使用它的程式將無法運作。",
        "要吊销 API 密钥 {key} 吗？使用它的程序将无法工作。",
    ),
    "confirm.revoke_session": ("End session {session}?", "要結束工作階段 {session} 嗎？", "要结束会话 {session} 吗？"),
    "confirm.suspend_tenant": (
        "Suspend tenant {tenant}? All of its calls are refused until it is resumed.",
        "要暫停租戶 {tenant} 嗎？恢復之前其所有呼叫都會被拒絕。",
        "要暂停租户 {tenant} 吗？恢复之前其所有调用都会被拒绝。",
    ),
    "error.api": ("{message}", "{message}", "{message}"),
    "error.mark": ("Error: ", "錯誤：", "错误："),
    "error.not_logged_in": (
        "Not logged in. Run `steward login`, or set STEWARD_API_KEY.",
        "尚未登入。請執行 `steward login`，或設定 STEWARD_API_KEY。",
        "尚未登录。请运行 `steward login`，或设置 STEWARD_API_KEY。",
    ),
    "error.request_id": ("Request: {request_id}", "請求編號：{request_id}", "请求编号：{request_id}"),
    "error.retry_after": (
        "Try again in {seconds} seconds.",
        "請於 {seconds} 秒後再試。",
        "请于 {seconds} 秒后再试。",
    ),
    "error.unauthenticated": (
        "Check the API key, or run `steward login` again.",
        "請檢查 API 金鑰，或重新執行 `steward login`。",
        "请检查 API 密钥，或重新运行 `steward login`。",
    ),
    "error.unreachable": (
        "No platform answers at {url} ({reason}). Start one with `steward up`, or give its address with --url.",
        "{url} 沒有平台回應（{reason}）。請以 `steward up` 啟動，或用 --url 指定位址。",
        "{url} 没有平台响应（{reason}）。请用 `steward up` 启动，或用 --url 指定地址。",
    ),
    "error.whoami": (
        "`steward whoami` shows what you may do; an administrator can give you a role.",
        "`steward whoami` 可查看您的權限；管理員可以授予您角色。",
        "`steward whoami` 可查看您的权限；管理员可以授予您角色。",
    ),
    "heading.action": ("Action", "動作", "操作"),
    "heading.actor": ("Actor", "操作者", "操作者"),
    "heading.address": ("Address", "位址", "地址"),
    "heading.after": ("After", "變更後", "变更后"),
    "heading.allowed": ("Allowed", "允許", "允许"),
    "heading.at": ("Time", "時間", "时间"),
    "heading.because": ("Because", "原因", "原因"),
    "heading.before": ("Before", "變更前", "变更前"),
    "heading.created": ("Created", "建立時間", "创建时间"),
    "heading.current": ("Current", "目前", "当前"),
    "heading.detail": ("Detail", "詳情", "详情"),
    "heading.email": ("E-mail", "電子郵件", "电子邮件"),
    "heading.expires": ("Expires", "到期時間", "到期时间"),
    "heading.hash": ("Hash", "雜湊值", "哈希值"),
    "heading.id": ("Id", "編號", "编号"),
    "heading.inherits": ("Inherits", "繼承", "继承"),
    "heading.kind": ("Kind", "類型", "类型"),
    "heading.last_login": ("Last log-in", "上次登入", "上次登录"),
    "heading.last_used": ("Last used", "上次使用", "上次使用"),
    "heading.limit": ("Limit", "上限", "上限"),
    "heading.locale": ("Language", "語言", "语言"),
    "heading.name": ("Name", "名稱", "名称"),
    "heading.origins": ("Web origins", "網頁來源", "网页来源"),
    "heading.outcome": ("Outcome", "結果", "结果"),
    "heading.overridden": ("Overridden", "已覆寫", "已覆盖"),
    "heading.part": ("Part", "元件", "组件"),
    "heading.permission": ("Permission", "權限", "权限"),
    "heading.permissions": ("Permissions", "權限", "权限"),
    "heading.plan": ("Plan", "方案", "套餐"),
    "heading.platform": ("Platform", "平台", "平台"),
    "heading.prefix": ("Prefix", "前綴", "前缀"),
    "heading.problem": ("Problem", "問題", "问题"),
    "heading.quota": ("Quota", "配額", "配额"),
    "heading.reason": ("Reason", "理由", "理由"),
    "heading.request_id": ("Request", "請求編號", "请求编号"),
    "heading.resource": ("Resource", "資源", "资源"),
    "heading.revoked": ("Revoked", "撤銷時間", "吊销时间"),
    "heading.role": ("Role", "角色", "角色"),
    "heading.roles": ("Roles", "角色", "角色"),
    "heading.scopes": ("Scopes", "範圍", "范围"),
    "heading.secret": ("Secret", "密鑰", "密钥"),
    "heading.seq": ("No.", "序號", "序号"),
    "heading.service": ("Service", "服務", "服务"),
    "heading.slug": ("Slug", "代稱", "代称"),
    "heading.state": ("State", "狀態", "状态"),
    "heading.tenant": ("Tenant", "租戶", "租户"),
    "heading.token": ("Token", "權杖", "令牌"),
    "heading.used": ("Used", "已用", "已用"),
    "heading.user_agent": ("Program", "用戶端程式", "客户端程序"),
    "keys.created": (
        "Keep the secret now: it is not shown again.",
        "請立即保存密鑰：之後不會再顯示。",
        "请立即保存密钥：之后不会再显示。",
    ),
    "keys.revoked": ("Revoked API key {name}.", "已撤銷 API 金鑰 {name}。", "已吊销 API 密钥 {name}。"),
    "list.empty": ("Nothing to show.", "沒有資料。", "没有数据。"),
    "list.more": (
        "There is more: --all for everything, or --cursor {cursor} for the next page.",
        "還有更多：--all 顯示全部，或以 --cursor {cursor} 顯示下一頁。",
        "还有更多：--all 显示全部，或用 --cursor {cursor} 显示下一页。",
    ),
    "list.reading": ("Reading", "讀取中", "读取中"),
    "login.done": ("Logged in to {url} as {email}.", "已以 {email} 登入 {url}。", "已以 {email} 登录 {url}。"),
    "logout.done": ("Logged out of {url}.", "已登出 {url}。", "已退出 {url}。"),
    "logout.none": ("There is no log-in to {url} here.", "此處沒有 {url} 的登入。", "此处没有 {url} 的登录。"),
    "password.done": (
        "Password changed; your other sessions have ended.",
        "密碼已變更；您的其他工作階段已結束。",
        "密码已更改；您的其他会话已结束。",
    ),
    "prompt.again": ("Once more", "請再輸入一次", "请再输入一次"),
    "prompt.email": ("E-mail", "電子郵件", "电子邮件"),
    "prompt.name": ("Your name", "您的姓名", "您的姓名"),
    "prompt.new_password": ("New password", "新密碼", "新密码"),
    "prompt.password": ("Password", "密碼", "密码"),
    "prompt.token": ("Token of the invitation", "邀請權杖", "邀请令牌"),
    "register.done": (
        "Registered as {email}. Now run `steward login`.",
        "已註冊為 {email}。接著請執行 `steward login`。",
        "已注册为 {email}。接着请运行 `steward login`。",
    ),
    "sessions.revoked": ("Ended session {session}.", "已結束工作階段 {session}。", "已结束会话 {session}。"),
    "status.summary": (
        "{url} runs Steward {version}: {status}.",
        "{url} 執行 Steward {version}：{status}。",
        "{url} 运行 Steward {version}：{status}。",
    ),
    "tenants.created": (
        "Give the token to {email} now: it is not shown again.",
        "請立即將權杖交給 {email}：之後不會再顯示。",
        "请立即将令牌交给 {email}：之后不会再显示。",
    ),
    "tenants.deleted": ("Deleted tenant {tenant}.", "已刪除租戶 {tenant}。", "已删除租户 {tenant}。"),
    "tenants.nothing_to_change": (
        "nothing to change: name at least one option",
        "沒有要變更的內容：請至少指定一個選項",
        "没有要更改的内容：请至少指定一个选项",
    ),
    "tenants.resumed": ("Resumed tenant {slug}.", "已恢復租戶 {slug}。", "已恢复租户 {slug}。"),
    "tenants.suspended": ("Suspended tenant {slug}.", "已暫停租戶 {slug}。", "已暂停租户 {slug}。"),
    "tenants.updated": ("Changed tenant {slug}.", "已變更租戶 {slug}。", "已更改租户 {slug}。"),
    "up.login": (
        "Demo log-in: {email} with password {password} (kept in {file}).",
        "示範登入：{email}，密碼 {password}（保存於 {file}）。",
        "演示登录：{email}，密码 {password}（保存于 {file}）。",
    ),
    "up.ready": ("Steward is ready: {url}", "Steward 已就緒：{url}", "Steward 已就绪：{url}"),
    "up.rpc": ("gRPC is answered at {address}.", "gRPC 位址：{address}", "gRPC 地址：{address}"),
    "up.try": (
        "Try, in another terminal:\n  {program} status\n"
        "  {program} users invite ann@example.com --name Ann --role developer\n  {program} audit list\n"
        "Ctrl-C stops the platform.",
        "請在另一個終端機試試：\n  {program} status\n"
        "  {program} users invite ann@example.com --name Ann --role developer\n  {program} audit list\n"
        "按 Ctrl-C 可停止平台。",
        "请在另一个终端试试：\n  {program} status\n"
        "  {program} users invite ann@example.com --name Ann --role developer\n  {program} audit list\n"
        "按 Ctrl-C 可停止平台。",
    ),
    "users.deleted": ("Deleted user {user}.", "已刪除使用者 {user}。", "已删除用户 {user}。"),
    "users.disabled": ("Disabled {email}.", "已停用 {email}。", "已停用 {email}。"),
    "users.enabled": ("Enabled {email}.", "已啟用 {email}。", "已启用 {email}。"),
    "users.invited": (
        "Give the token to {email} now: it is not shown again.",
        "請立即將權杖交給 {email}：之後不會再顯示。",
        "请立即将令牌交给 {email}：之后不会再显示。",
    ),
    "users.renamed": ("{email} is now called {name}.", "{email} 現在名為 {name}。", "{email} 现在名为 {name}。"),
    "users.roles_changed": ("Roles of {email}: {roles}.", "{email} 的角色：{roles}。", "{email} 的角色：{roles}。"),
    "value.no": ("no", "否", "否"),
    "value.yes": ("yes", "是", "是"),
    "warning": ("Warning: {message}", "警告：{message}", "警告：{message}"),
}


class Texts:
    """The catalogue in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self._column = _LANGUAGES.index(lang)

    def __call__(self, key: str, /, **values: object) -> str:
        return CATALOGUE[key][self._column].format(**values)
