// The words of the widget in the languages of the platform.

export const TEXTS = {
  en: {
    launch: "Chat with us",
    title: "Customer service",
    close: "Close chat",
    fresh: "New conversation",
    log: "Conversation",
    hello: "Hello! How can we help you?",
    tries: ["Where is my order?", "How do I return something?", "I would like to talk to a person"],
    label: "Your message",
    hint: "Write a message…",
    send: "Send",
    you: "You:",
    desk: "Customer service:",
    typing: "Writing an answer…",
    shop: "Looking it up in the shop…",
    search: "Looking for an answer…",
    again: "Connection lost, trying again…",
    sources: "Sources",
    handed: "Our team takes over from here.",
    ticket: "Our team takes over from here. Your ticket: #{number}",
    retry: "Try again",
    unread: "New message",
    offline: "No connection. Your message is kept.",
    limited: "That was a lot at once. Wait {seconds} seconds and try again.",
    expired: "Your sign-in has run out. Reload the page and try again.",
    refused: "The chat is not set up for this page.",
    long: "This message is too long.",
    failed: "Something went wrong on our side. Your message is kept.",
  },
  "zh-Hant": {
    launch: "與我們對話",
    title: "客戶服務",
    close: "關閉對話",
    fresh: "新對話",
    log: "對話內容",
    hello: "您好！請問有什麼可以幫您？",
    tries: ["我的訂單到哪裡了？", "要怎麼退貨？", "我想找真人客服"],
    label: "您的訊息",
    hint: "輸入訊息…",
    send: "傳送",
    you: "您：",
    desk: "客服：",
    typing: "正在撰寫回覆…",
    shop: "正在向商店查詢…",
    search: "正在尋找答案…",
    again: "連線中斷，正在重試…",
    sources: "資料來源",
    handed: "接下來由我們的同仁為您服務。",
    ticket: "接下來由我們的同仁為您服務。您的案件編號：#{number}",
    retry: "重試",
    unread: "有新訊息",
    offline: "目前沒有連線，您的訊息已保留。",
    limited: "訊息太密集了，請於 {seconds} 秒後重試。",
    expired: "您的登入已逾時，請重新整理頁面後再試。",
    refused: "此頁面尚未開通對話服務。",
    long: "這則訊息太長了。",
    failed: "我們這邊出了點問題，您的訊息已保留。",
  },
  "zh-Hans": {
    launch: "与我们对话",
    title: "客户服务",
    close: "关闭对话",
    fresh: "新对话",
    log: "对话内容",
    hello: "您好！请问有什么可以帮您？",
    tries: ["我的订单到哪里了？", "怎么退货？", "我想找人工客服"],
    label: "您的消息",
    hint: "输入消息…",
    send: "发送",
    you: "您：",
    desk: "客服：",
    typing: "正在输入回复…",
    shop: "正在向商店查询…",
    search: "正在查找答案…",
    again: "连接中断，正在重试…",
    sources: "资料来源",
    handed: "接下来由我们的同事为您服务。",
    ticket: "接下来由我们的同事为您服务。您的工单号：#{number}",
    retry: "重试",
    unread: "有新消息",
    offline: "目前没有网络连接，您的消息已保留。",
    limited: "消息太频繁了，请在 {seconds} 秒后重试。",
    expired: "您的登录已过期，请刷新页面后再试。",
    refused: "此页面尚未开通对话服务。",
    long: "这条消息太长了。",
    failed: "我们这边出了点问题，您的消息已保留。",
  },
};

/** One of our languages for a tag; Chinese without a script is written in the script of its region. */
export function known(tag) {
  const [language, ...rest] = (tag ?? "").toLowerCase().split(/[-_]/);
  if (language === "en") return "en";
  if (language !== "zh") return null;
  const region = ["tw", "hk", "mo"].some((one) => rest.includes(one));
  return rest.includes("hant") || (region && !rest.includes("hans")) ? "zh-Hant" : "zh-Hans";
}

/** The first of the tags that we speak, else English. */
export function spoken(...tags) {
  return tags.map(known).find(Boolean) ?? "en";
}
