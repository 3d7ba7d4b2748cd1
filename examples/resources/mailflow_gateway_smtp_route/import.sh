terraform import mailflow_gateway_smtp_route.m365 'example.com'
