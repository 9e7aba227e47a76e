"""What the desk itself says, in the customer's language, where no playbook speaks."""

from collections.abc import Mapping

from steward.services.support.ports import Language

STILL_AT_WORK: Mapping[Language, str] = {
    Language.EN: "This is taking longer than usual. I have your message and keep working on it; "
    "the answer will appear here in a moment.",
    Language.HANT: "這次處理得比較久。您的訊息我已經收到，正在繼續處理，稍後就會在這裡回覆您。",
    Language.HANS: "这次处理得比较久。您的消息我已经收到，正在继续处理，稍后就会在这里回复您。",
}
FAILED: Mapping[Language, str] = {
    Language.EN: "I am sorry, I could not finish this. I have handed your message to a colleague: ticket {number}. "
    "They will get back to you.",
    Language.HANT: "很抱歉，這件事我沒能處理完成。我已經把您的訊息轉給同事，單號是 {number}，會有專人與您聯絡。",
    Language.HANS: "很抱歉，这件事我没能处理完成。我已经把您的消息转给同事，单号是 {number}，会有专人与您联系。",
}
FAILED_SUBJECT: Mapping[Language, str] = {
    Language.EN: "A message could not be answered",
    Language.HANT: "有一則訊息無法自動回覆",
    Language.HANS: "有一条消息无法自动回复",
}
