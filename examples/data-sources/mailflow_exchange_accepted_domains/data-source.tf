data "mailflow_exchange_accepted_domains" "all" {}

# One recipient access entry for each domain that the tenant takes mail for.
resource "mailflow_gateway_recipient_access" "accepted" {
  for_each = toset(data.mailflow_exchange_accepted_domains.all.domains[*].domain_name)

  listener  = "IncomingMail"
  recipient = each.value
  action    = "accept"
}
