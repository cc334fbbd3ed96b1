"""Who and what there is: tenants, people, groups, applications, and what they agreed to."""
