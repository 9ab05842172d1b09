from django.urls import path

from accounts import account_views, audit_views, member_views, views, workspace_views

urlpatterns = [
    path("login/", views.Login.as_view(), name="login"),
    path("login/code/", views.login_code, name="login-code"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("admin/login/", views.admin_login, name="admin-login"),
    path("password/forgot/", views.ForgotPassword.as_view(), name="forgot-password"),
    path("password/forgot/sent/", views.ForgotPasswordSent.as_view(), name="forgot-password-sent"),
    path("password/new/<uidb64>/<token>/", views.NewPassword.as_view(), name="new-password"),
    path("join/<str:token>/", member_views.join, name="join"),
    path("account/", account_views.account, name="account"),
    path("account/password/", account_views.ChangePassword.as_view(), name="change-password"),
    path("account/log-out-everywhere/", account_views.log_out_everywhere, name="log-out-everywhere"),
    path("account/two-factor/", account_views.two_factor_on, name="two-factor"),
    path("account/two-factor/off/", account_views.two_factor_off, name="two-factor-off"),
    path("account/recovery-codes/", account_views.new_recovery_codes, name="recovery-codes"),
    path("workspaces/new/", workspace_views.new_workspace, name="workspace-new"),
    path("workspaces/switch/", workspace_views.switch_workspace, name="switch-workspace"),
    path("settings/", workspace_views.workspace_settings, name="settings"),
    path("settings/audit-log/", audit_views.show_audit_log, name="audit-log"),
    path("settings/audit-log/check/", audit_views.check_audit_log, name="audit-log-check"),
    path("settings/audit-log/download/", audit_views.download_audit_log, name="audit-log-download"),
    path("settings/members/", member_views.show_members, name="members"),
    path("settings/members/invite/", member_views.invite, name="invite"),
    path("settings/members/<int:pk>/", member_views.member, name="member"),
    path("settings/members/<int:pk>/remove/", member_views.remove, name="member-remove"),
    path("settings/members/<int:pk>/reset-link/", member_views.reset_link, name="reset-link"),
    path("settings/members/<int:pk>/two-factor-off/", member_views.member_two_factor_off, name="member-two-factor-off"),
    path("settings/invitations/<int:pk>/resend/", member_views.resend, name="resend"),
    path("settings/invitations/<int:pk>/revoke/", member_views.revoke, name="revoke"),
]
