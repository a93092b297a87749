"""Why a line, or a part of it, was not taken: a stable code and its words in Spanish and English."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "line-quotes": ("Comillas sin cerrar en la línea", "Quotes are not closed on this line"),
    "line-columns": ("La línea no tiene tantas columnas como el encabezado", "Not as many columns as the header has"),
    "missing": ("Falta un dato obligatorio", "A required value is missing"),
    "reference": (
        "Referencia personal: no se carga ni se llama (Ley 2300 de 2023)",
        "Personal reference: neither kept nor called (Ley 2300 of 2023)",
    ),
    "role": ("Rol desconocido", "Unknown role"),
    "doc-type": ("Tipo de documento desconocido", "Unknown type of document"),
    "doc-number": ("Número de documento inválido", "The document number is not valid"),
    "doc-scientific": (
        "Documento en notación científica: ya perdió dígitos; exporte la columna como texto",
        "Document in scientific notation: digits are lost already; export the column as text",
    ),
    "nit-check-digit": (
        "El dígito de verificación del NIT no coincide; escriba NIT-DV",
        "The NIT's check digit does not match; write NIT-DV",
    ),
    "money-form": (
        "Valor no legible; use 1.234.567,89 o 1234567",
        "The amount cannot be read; use 1.234.567,89 or 1234567",
    ),
    "money-scientific": (
        "Valor en notación científica: ya perdió dígitos; exporte la columna como texto",
        "Amount in scientific notation: digits are lost already; export the column as text",
    ),
    "money-negative": ("Valor negativo", "The amount is negative"),
    "money-decimals": ("Más decimales de los que tiene la moneda", "More decimals than the currency has"),
    "currency-unknown": ("Moneda desconocida", "Unknown currency"),
    "channel": (
        "Canal desconocido; use voz, sms, correo, whatsapp, push, carta, visita o todos",
        "Unknown channel; use voice, sms, email, whatsapp, push, letter, visit or all",
    ),
    "purpose": (
        "Finalidad desconocida; use cobranza, recordatorio, comercial, informacion, operacion, fraude o todas",
        "Unknown purpose; use collection, reminder, commercial, requested_info, operation, fraud_alert or all",
    ),
    "consent-state": (
        "Estado desconocido; use otorgada o revocada",
        "Unknown state; use granted or revoked",
    ),
    "person-unknown": ("Ninguna persona tiene ese documento", "No person has that document"),
    "obligation-unknown": (
        "No existe esa obligación de ese acreedor",
        "There is no such obligation of that creditor",
    ),
    "date-later": ("La fecha no ha llegado", "The date has not come yet"),
    "days": ("Días de mora: debe ser un número entero", "Days past due must be a whole number"),
    "date": ("Fecha no legible; use dd/mm/aaaa o aaaa-mm-dd", "The date cannot be read; use dd/mm/yyyy or yyyy-mm-dd"),
    "zone": ("Zona horaria desconocida", "Unknown time zone"),
    "consent-date": (
        "Canal autorizado sin fecha de autorización legible: no se llamará",
        "Channel authorised without a readable date: will not be called",
    ),
    "contract-date": (
        "Fecha de contrato no legible: se toma la línea sin ella",
        "The contract's date cannot be read: the line is taken without it",
    ),
    "consent-conflict": (
        "Otra línea de la misma persona no autoriza llamadas: no se llamará",
        "Another line of the same person does not authorise calls: will not be called",
    ),
    "phone-signs": ("El teléfono tiene signos o letras que no son un número", "The phone holds signs or letters"),
    "phone-scientific": (
        "Teléfono en notación científica: ya perdió dígitos",
        "Phone in scientific notation: digits are lost already",
    ),
    "phone-foreign": ("Teléfono de otro país", "Phone of another country"),
    "phone-toll-free": ("Línea 01 8000: no es de un deudor", "Toll-free line: never a debtor's"),
    "phone-needs-city": (
        "Fijo de 7 dígitos sin ciudad conocida: no se adivina el indicativo",
        "Seven-digit fixed line without a known city: the area is not guessed",
    ),
    "phone-length": ("El teléfono no tiene 10 dígitos", "The phone does not have ten digits"),
    "phone-invalid": ("Ese número no existe en el plan de numeración", "No such number in the numbering plan"),
}
