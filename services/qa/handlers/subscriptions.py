"""Đăng ký nhận tin: one function a command."""

from services.qa.domain import subscriptions as domain
from services.qa.domain.subscriptions import CloseSubscription, OpenSubscription, Subscription
from services.qa.handlers import QaDesk, ref_for


async def open_subscription(cmd: OpenSubscription, desk: QaDesk) -> Subscription:
    domain.check_subscriber(desk.by)
    id, ref = cmd.subscription_id, ref_for(desk, "secret")
    stream = Subscription.stream_of(id)
    digest = await desk.vault.put(ref, {"secret": cmd.secret}, owner=str(id), stream=stream)
    return await desk.append(domain.open_subscription(cmd, ref, digest, by=desk.by))


async def close_subscription(cmd: CloseSubscription, desk: QaDesk) -> Subscription:
    subscription = await desk.load(Subscription, cmd.subscription_id)
    return await desk.append(domain.close_subscription(subscription, by=desk.by))
