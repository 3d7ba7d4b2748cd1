data "mailflow_exchange_organization_mail_flow" "this" {}
