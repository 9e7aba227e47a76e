"""What the command line says, in English, traditional and simplified Chinese."""

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
    "chat.begin": (
        "Talking with the desk; Ctrl-D ends.",
        "與客服台對話中；按 Ctrl-D 結束。",
        "与客服台对话中；按 Ctrl-D 结束。",
    ),
    "chat.by": (
        "  {agent} agent, intent {intent} ({confidence}), {ms} ms",
        "  由 {agent} 回答，意圖 {intent}（{confidence}），{ms} 毫秒",
        "  由 {agent} 回答，意图 {intent}（{confidence}），{ms} 毫秒",
    ),
    "chat.citation": ("  [{number}] {title} ({id})", "  [{number}] {title}（{id}）", "  [{number}] {title}（{id}）"),
    "chat.degraded": (
        "  Something that usually helps, such as the shop, was not to be had.",
        "  平時可用的資源（例如商店）目前無法取得。",
        "  平时可用的资源（例如商店）目前无法取得。",
    ),
    "chat.go_on": (
        "Go on with --session {session}.",
        "以 --session {session} 繼續對話。",
        "用 --session {session} 继续对话。",
    ),
    "chat.nothing_said": (
        "there is no message: give at least one that is not empty",
        "沒有訊息：請至少提供一則非空白的訊息",
        "没有消息：请至少提供一条非空白的消息",
    ),
    "chat.ticket": (
        "  A person takes over: ticket {ticket}",
        "  已轉交專人處理：案件 {ticket}",
        "  已转交专人处理：工单 {ticket}",
    ),
    "chat.tool": ("  … {tool}", "  … {tool}", "  … {tool}"),
    "chat.you": ("You: ", "您：", "您："),
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
    "heading.answered": ("Answered", "已回答", "已回答"),
    "heading.at": ("Time", "時間", "时间"),
    "heading.because": ("Because", "原因", "原因"),
    "heading.before": ("Before", "變更前", "变更前"),
    "heading.cached": ("Cached", "快取", "缓存"),
    "heading.count": ("Count", "次數", "次数"),
    "heading.created": ("Created", "建立時間", "创建时间"),
    "heading.current": ("Current", "目前", "当前"),
    "heading.detail": ("Detail", "詳情", "详情"),
    "heading.email": ("E-mail", "電子郵件", "电子邮件"),
    "heading.error": ("Error", "錯誤", "错误"),
    "heading.errors": ("Errors", "錯誤", "错误"),
    "heading.examples": ("Examples", "範例", "示例"),
    "heading.expires": ("Expires", "到期時間", "到期时间"),
    "heading.hash": ("Hash", "雜湊值", "哈希值"),
    "heading.id": ("Id", "編號", "编号"),
    "heading.inherits": ("Inherits", "繼承", "继承"),
    "heading.kind": ("Kind", "類型", "类型"),
    "heading.last_login": ("Last log-in", "上次登入", "上次登录"),
    "heading.last_used": ("Last used", "上次使用", "上次使用"),
    "heading.limit": ("Limit", "上限", "上限"),
    "heading.line": ("Line", "行", "行"),
    "heading.locale": ("Language", "語言", "语言"),
    "heading.max": ("Max", "最大", "最大"),
    "heading.mean": ("Mean", "平均", "平均"),
    "heading.median": ("Median", "中位數", "中位数"),
    "heading.min": ("Min", "最小", "最小"),
    "heading.name": ("Name", "名稱", "名称"),
    "heading.origins": ("Web origins", "網頁來源", "网页来源"),
    "heading.outcome": ("Outcome", "結果", "结果"),
    "heading.overridden": ("Overridden", "已覆寫", "已覆盖"),
    "heading.p95": ("P95", "P95", "P95"),
    "heading.p99": ("P99", "P99", "P99"),
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
    "heading.source": ("File", "檔案", "文件"),
    "heading.state": ("State", "狀態", "状态"),
    "heading.step": ("Step", "步驟", "步骤"),
    "heading.tenant": ("Tenant", "租戶", "租户"),
    "heading.throughput": ("Throughput", "吞吐量", "吞吐量"),
    "heading.token": ("Token", "權杖", "令牌"),
    "heading.used": ("Used", "已用", "已用"),
    "heading.user_agent": ("Program", "用戶端程式", "客户端程序"),
    "import.documents": ("Importing documents", "匯入文件中", "导入文档中"),
    "import.done": (
        "{created} created, {updated} updated, {unchanged} unchanged.",
        "新增 {created}、更新 {updated}、未變更 {unchanged}。",
        "新增 {created}、更新 {updated}、未更改 {unchanged}。",
    ),
    "import.faqs": ("Importing FAQs", "匯入常見問題中", "导入常见问题中"),
    "import.no_documents": (
        "{file} holds no .md, .markdown, .txt or .text file",
        "{file} 中沒有 .md、.markdown、.txt 或 .text 檔案",
        "{file} 中没有 .md、.markdown、.txt 或 .text 文件",
    ),
    "import.no_file": ("there is no {file}", "找不到 {file}", "找不到 {file}"),
    "import.problems": (
        "{count} could not be taken; the others were.",
        "有 {count} 項無法匯入，其餘均已匯入。",
        "有 {count} 项无法导入，其余均已导入。",
    ),
    "import.unreadable": (
        "{file} cannot be read: {problem}",
        "無法讀取 {file}：{problem}",
        "无法读取 {file}：{problem}",
    ),
    "import.which_format": (
        "{file} ends neither in .csv nor in .md: name its --format",
        "{file} 的副檔名不是 .csv 或 .md：請以 --format 指定格式",
        "{file} 的扩展名不是 .csv 或 .md：请用 --format 指定格式",
    ),
    "init.done": (
        "Give the token to {email} now: it is not shown again. Once the platform runs, `steward register` accepts it.",
        "請立即將權杖交給 {email}：之後不會再顯示。平台執行後，以 `steward register` 接受邀請。",
        "请立即将令牌交给 {email}：之后不会再显示。平台运行后，用 `steward register` 接受邀请。",
    ),
    "intents.summary": (
        "Version {version}: {state}, accuracy {accuracy}; version {serving} classifies.",
        "第 {version} 版：{state}，準確率 {accuracy}；目前由第 {serving} 版分類。",
        "第 {version} 版：{state}，准确率 {accuracy}；目前由第 {serving} 版分类。",
    ),
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
    "loadtest.elsewhere": (
        "{url} is another machine: repeat with --yes if it may be put under load",
        "{url} 是另一台機器：若可對其施加負載，請加上 --yes 再執行",
        "{url} 是另一台机器：若可对其施加负载，请加上 --yes 再运行",
    ),
    "loadtest.messages": (
        "at most {most} messages of at most {longest} characters each",
        "最多 {most} 則訊息，每則最多 {longest} 個字元",
        "最多 {most} 条消息，每条最多 {longest} 个字符",
    ),
    "loadtest.running": ("Customers x messages: {step}", "顧客 x 訊息：{step}", "顾客 x 消息：{step}"),
    "loadtest.steps": (
        "{part!r} is no step: write customers x messages, such as 10x5, each from 1 to {most}",
        "{part!r} 不是有效的步驟：請寫顧客數 x 訊息數，例如 10x5，各為 1 到 {most}",
        "{part!r} 不是有效的步骤：请写顾客数 x 消息数，例如 10x5，各为 1 到 {most}",
    ),
    "loadtest.units": (
        "Times in milliseconds, of answered messages; throughput in answers a second.",
        "時間以毫秒計，僅計已回答的訊息；吞吐量為每秒回答數。",
        "时间以毫秒计，仅计已回答的消息；吞吐量为每秒回答数。",
    ),
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
    "up.init": (
        "There is no demo tenant. If nobody can log in yet: {program} init --email YOU@EXAMPLE.COM invites the first.",
        "此處沒有示範租戶。若還沒有人能登入，請以 {program} init --email YOU@EXAMPLE.COM 邀請第一位。",
        "此处没有演示租户。若还没有人能登录，请用 {program} init --email YOU@EXAMPLE.COM 邀请第一位。",
    ),
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
    "up.try_desk": (
        "Try:\n  open {url}/demo, a shop whose customers the desk answers\n"
        "  curl -s {url}/api/v1/chat -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\\n"
        """    -d '{{"message": "How long does delivery take?"}}'\n"""
        "  {program} audit list\n"
        "Ctrl-C stops the platform and its demo shop.",
        "請試試：\n  開啟 {url}/demo，一家由客服台回答顧客的商店\n"
        "  curl -s {url}/api/v1/chat -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\\n"
        """    -d '{{"message": "多久會送到？"}}'\n"""
        "  {program} audit list\n"
        "按 Ctrl-C 可停止平台與示範商店。",
        "请试试：\n  打开 {url}/demo，一家由客服台回答顾客的商店\n"
        "  curl -s {url}/api/v1/chat -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\\n"
        """    -d '{{"message": "多久能送到？"}}'\n"""
        "  {program} audit list\n"
        "按 Ctrl-C 可停止平台和演示商店。",
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

WORDS: Mapping[str, tuple[str, str]] = {
    "active": ("使用中", "使用中"),
    "degraded": ("部分異常", "部分异常"),
    "deleted": ("已刪除", "已删除"),
    "denied": ("拒絕", "拒绝"),
    "disabled": ("已停用", "已停用"),
    "done": ("完成", "完成"),
    "down": ("停擺", "停摆"),
    "draining": ("停止中", "停止中"),
    "failed": ("失敗", "失败"),
    "in this process": ("在此行程中", "在此进程中"),
    "invited": ("已邀請", "已邀请"),
    "ok": ("正常", "正常"),
    "queued": ("排隊中", "排队中"),
    "provisioning": ("建立中", "创建中"),
    "ready": ("就緒", "就绪"),
    "starting": ("啟動中", "启动中"),
    "suspended": ("已暫停", "已暂停"),
    "training": ("訓練中", "训练中"),
}
"""States as the platform tells them, in traditional and simplified Chinese; what one types (roles, plans, kinds) stays
as it is."""


class Texts:
    """The catalogue in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self._column = _LANGUAGES.index(lang)

    def __call__(self, key: str, /, **values: object) -> str:
        return CATALOGUE[key][self._column].format(**values)

    def word(self, told: str) -> str:
        """What the platform tells of a state, for people; a word that is not known here stays as it is."""
        if self.lang is Lang.EN or told not in WORDS:
            return told
        return WORDS[told][self._column - 1]
