resource "mailflow_exchange_organization_mail_flow" "this" {
  reject_direct_send = true # nobody goes around the gateway with a sender of ours
}
