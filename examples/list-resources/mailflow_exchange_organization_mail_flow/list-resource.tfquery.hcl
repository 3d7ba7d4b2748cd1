list "mailflow_exchange_organization_mail_flow" "this" {
  provider         = mailflow
  include_resource = true
}
