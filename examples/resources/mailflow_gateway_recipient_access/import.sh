terraform import mailflow_gateway_recipient_access.domain 'IncomingMail/example.com'
