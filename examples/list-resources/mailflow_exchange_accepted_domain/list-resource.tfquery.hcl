list "mailflow_exchange_accepted_domain" "all" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    domain_type = "InternalRelay"
  }
}
