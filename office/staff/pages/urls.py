"""The addresses of the staff pages; every page of a project carries the project's code."""

from django.urls import path

from office.staff.pages import (
    cases,
    claims,
    counts,
    home,
    kiosks,
    pairing,
    payment,
    search,
    signin,
    today,
    units,
    uploads,
)

app_name = "office"

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", signin.signin, name="signin"),
    path("sign-in/code/", signin.signin_code, name="signin_code"),
    path("sign-out/", signin.signout, name="signout"),
    path("password/", signin.password, name="password"),
    path("language/", signin.language, name="language"),
    path("projects/<str:project_code>/today/", today.today, name="today"),
    path("projects/<str:project_code>/today/live/", today.today_live, name="today_live"),
    path("projects/<str:project_code>/uploads/", uploads.uploads, name="uploads"),
    path("projects/<str:project_code>/payments/<uuid:payment_id>/", payment.payment, name="payment"),
    path("projects/<str:project_code>/payments/<uuid:payment_id>/review/", payment.review, name="review"),
    path("projects/<str:project_code>/cases/", cases.cases, name="cases"),
    path("projects/<str:project_code>/cases/<uuid:case_id>/close/", cases.close, name="close_case"),
    path("projects/<str:project_code>/cases/<uuid:case_id>/take/", cases.take, name="take_case"),
    path("projects/<str:project_code>/claims/<uuid:item_id>/", claims.claim, name="claim"),
    path("projects/<str:project_code>/claims/<uuid:item_id>/propose/", claims.propose, name="propose_claim"),
    path("projects/<str:project_code>/proposals/<uuid:resolution_id>/confirm/", claims.confirm, name="confirm_claim"),
    path("projects/<str:project_code>/proposals/<uuid:resolution_id>/cancel/", claims.cancel, name="cancel_claim"),
    path("projects/<str:project_code>/counts/<uuid:removal_id>/", counts.count, name="count"),
    path("projects/<str:project_code>/units/", units.units, name="units"),
    path("projects/<str:project_code>/units/<str:code>/", units.unit, name="unit"),
    path("projects/<str:project_code>/kiosks/", kiosks.kiosks, name="kiosks"),
    path("projects/<str:project_code>/kiosks/<str:kiosk_code>/", kiosks.kiosk, name="kiosk"),
    path("projects/<str:project_code>/kiosks/<str:kiosk_code>/renew/", pairing.renew, name="renew"),
    path("projects/<str:project_code>/alarms/<uuid:alarm_id>/acknowledge/", kiosks.acknowledge, name="acknowledge"),
    path("projects/<str:project_code>/search/", search.search, name="search"),
]
