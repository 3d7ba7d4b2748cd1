resource "mailflow_exchange_transport_rule" "block_programs" {
  name = "Block programs"
  conditions {
    attachment_has_executable_content = true
  }
  actions {
    reject_message_reason_text = "Programs are not delivered."
  }
}

resource "mailflow_exchange_transport_rule" "mark_external" {
  name = "Mark external mail"
  conditions {
    from_scope = "NotInOrganization"
  }
  actions {
    prepend_subject = "EXTERNAL: "
  }
}

# Rules that are not named here may stand anywhere.
resource "mailflow_exchange_transport_rule_order" "this" {
  rules = [
    mailflow_exchange_transport_rule.block_programs.name,
    mailflow_exchange_transport_rule.mark_external.name,
  ]
}
