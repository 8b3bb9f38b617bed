"""What time alone asks for, once a question's day has come: load, decide, append."""

from uuid import UUID

from services.qa import domain
from services.qa.domain import Question
from services.qa.handlers import QaDesk
from shared.contracts.qa import ErasureCause


async def lapse_question(id: UUID, desk: QaDesk) -> Question:
    """Chưa rõ, không ai gửi lại."""
    question = await desk.load(Question, id)
    return await desk.append(domain.lapse(question, at=desk.now, calendar=desk.calendar, policy=desk.policy))


async def erase_at_its_time(id: UUID, desk: QaDesk) -> Question:
    """Hết thời hạn lưu giữ. When it ended the list knows; ``desk.expected`` says as of which version."""
    question = await desk.load(Question, id)
    cmd = domain.EraseAsker(id, ErasureCause.RETENTION)
    return await desk.append(domain.erase(question, cmd, by=desk.by))
