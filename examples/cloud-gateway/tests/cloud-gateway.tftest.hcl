# terraform test: against a mocked provider. No gateway and no credentials are needed.

mock_provider "mailflow" {}

variables {
  domain            = "example.com"
  delivery_host     = "example-com.mail.protection.outlook.com"
  gateway_host      = "esa1.example.iphmx.com"
  gateway_username  = "terraform"
  gateway_password  = "not-a-real-one"
  gateway_host_keys = ["SHA256:8Z0rG3SVkcDk2hnqT1gqvMKo1vWfy8b3TD5JvXw0Zl8"]
  proxy_host        = "ssh.example.iphmx.com"
  proxy_username    = "example"
  proxy_password    = "not-a-real-one"
  proxy_host_keys   = ["SHA256:8Z0rG3SVkcDk2hnqT1gqvMKo1vWfy8b3TD5JvXw0Zl8"]
}

run "mail_for_the_domain_is_accepted_and_routed_to_microsoft_365" {
  command = plan

  assert {
    condition     = mailflow_gateway_recipient_access.domain.listener == "MailFlow" && mailflow_gateway_recipient_access.domain.action == "accept"
    error_message = "The listener of the Cloud Gateway does not accept mail for the domain."
  }
  assert {
    condition     = mailflow_gateway_smtp_route.domain.destination[0].host == "example-com.mail.protection.outlook.com"
    error_message = "The route does not lead to Microsoft 365."
  }
}

run "a_proxy_without_host_keys_is_refused" {
  command = plan

  variables {
    proxy_host_keys = []
  }

  expect_failures = [var.proxy_host_keys]
}
